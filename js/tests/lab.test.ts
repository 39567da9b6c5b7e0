import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { IRenderMime, IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { Panel, Widget } from "@lumino/widgets";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ServerInfo } from "../src/host/http";
import { Rest } from "../src/host/http";
import { Connection } from "../src/host/server";
import type { Services } from "../src/lab/services";
import { JobsRenderer } from "../src/lab/renderer";
import { WIDGET_MIME_TYPE } from "../src/lab/widget-view";
import { MIME_TYPE, VERSION, type Bundle, type JobInfo } from "../src/model/wire";
import { translator } from "../src/model/translation";
import { DeckMemory } from "../src/lab/deck-memory";
import { PageDeck } from "../src/lab/page-deck";
import { Settings } from "../src/lab/settings";
import { Targets } from "../src/lab/target";
import widget from "../src/widget";
import { FakeModel, FakeSocket } from "./support/transports";
import { makeDelta, makeJob, makeRows, makeSnapshot, NOW } from "./support/wire";

const ID = makeJob().id;
const DONE: Partial<JobInfo> = { status: "DONE", final: true, ended: NOW, result: "42" };

function bundleOf(job: JobInfo): Bundle {
  return {
    protocol: 1,
    version: VERSION,
    store_id: "k3v9qa",
    ids: [job.id],
    layout: "card",
    snapshot: makeSnapshot([job]),
    deck: null,
  };
}

/** An output's model, as the notebook hands it to a renderer. */
class FakeOutput {
  readonly trusted = true;
  readonly metadata = {};
  writes = 0;
  data: Record<string, unknown>;

  constructor(bundle: Bundle) {
    this.data = { [MIME_TYPE]: bundle, [WIDGET_MIME_TYPE]: { model_id: "m" }, "text/html": "old", "text/plain": "old" };
  }

  setData(options: { data?: Record<string, unknown> }): void {
    this.writes += 1;
    this.data = options.data ?? this.data;
  }

  get bundle(): Bundle {
    return this.data[MIME_TYPE] as Bundle;
  }

  get model(): IRenderMime.IMimeModel {
    return this as unknown as IRenderMime.IMimeModel;
  }
}

type Slot = (sender: unknown, argument: unknown) => void;

class FakeSignal {
  readonly slots = new Set<Slot>();

  connect(slot: Slot): void {
    this.slots.add(slot);
  }

  disconnect(slot: Slot): void {
    this.slots.delete(slot);
  }

  emit(argument: unknown): void {
    for (const slot of this.slots) slot(this, argument);
  }
}

/** A document's context: that it is saved, and that its kernel changes. */
class FakeContext {
  readonly saveState = new FakeSignal();
  readonly sessionContext = { kernelChanged: new FakeSignal(), statusChanged: new FakeSignal() };

  save(): void {
    this.saveState.emit("started");
    this.saveState.emit("completed");
  }

  get listeners(): number {
    const { kernelChanged, statusChanged } = this.sessionContext;
    return this.saveState.slots.size + kernelChanged.slots.size + statusChanged.slots.size;
  }

  get context(): DocumentRegistry.Context {
    return this as unknown as DocumentRegistry.Context;
  }
}

/** The widget manager's renderer: a panel that gets its view when the model is there. */
class FakeWidgetRenderer extends Panel {
  renderModel(): Promise<void> {
    return Promise.resolve();
  }
}

interface Page {
  targets: Targets;
  sockets: FakeSocket[];
  connection: Connection;
  services: Services;
  context: FakeContext;
  widgets: FakeWidgetRenderer[];
  /** The factories that the notebook's registry had for widgets, the newest last. */
  managers: object[];
  renderer: JobsRenderer;
  forms: ReturnType<typeof vi.fn>;
}

const pages: Page[] = [];

function makePage(storeId: string | null, isNotebook = true): Page {
  const sockets: FakeSocket[] = [];
  const connection = new Connection(
    () => "ws://x",
    (url) => {
      const socket = new FakeSocket(url);
      sockets.push(socket);
      return socket;
    },
  );
  const info: ServerInfo | null = storeId === null ? null : { version: "0.1.0", protocol: 1, store_id: storeId };
  const forms = vi.fn(() => Promise.resolve(Response.json({ html: "<b>new</b>", text: "new" })));
  const rest = new Rest({ baseUrl: new URL("http://x/"), token: "" }, forms, () => "");
  const services: Services = { rest, connection, server: () => Promise.resolve(info) };
  const context = new FakeContext();
  const widgets: FakeWidgetRenderer[] = [];
  const managers: object[] = [{}];
  const rendermime = {
    getFactory: () => managers.at(-1),
    createRenderer: () => {
      const widget = new FakeWidgetRenderer();
      widgets.push(widget);
      return widget;
    },
  } as unknown as IRenderMimeRegistry;
  const trans = translator();
  const targets = new Targets({ contextMenuHitTest: () => undefined }, document);
  const renderer = new JobsRenderer({
    page: { services, deck: new PageDeck(services, trans), memory: new DeckMemory(null), settings: new Settings(null, ""), targets, trans },
    rendermime: isNotebook ? rendermime : null,
    context: isNotebook ? context.context : null,
  });
  const page = { targets, sockets, connection, services, context, widgets, managers, renderer, forms };
  pages.push(page);
  return page;
}

const settle = async (): Promise<void> => {
  await vi.advanceTimersByTimeAsync(50);
};

beforeEach(() => {
  vi.useFakeTimers({ now: NOW * 1_000 });
});

afterEach(() => {
  for (const page of pages.splice(0)) {
    page.renderer.dispose();
    page.targets.dispose();
    page.connection.close();
  }
  vi.useRealTimers();
});

async function begin(page: Page, output: FakeOutput): Promise<FakeSocket | undefined> {
  await page.renderer.renderModel(output.model);
  await settle();
  page.sockets[0]?.open();
  return page.sockets[0];
}

const status = (page: Page): string | null | undefined =>
  page.renderer.node.querySelector("[data-job-id]")?.getAttribute("data-status");

describe("the renderer", () => {
  it("paints from the output at once, then goes live from the server of the same store", async () => {
    const page = makePage("k3v9qa");
    const output = new FakeOutput(bundleOf(makeJob()));
    void page.renderer.renderModel(output.model);
    expect(status(page)).toBe("RUNNING");
    const socket = await begin(page, output);
    expect(socket?.sent).toEqual([{ type: "subscribe", ids: [ID] }]);
    socket?.emit(makeSnapshot([makeJob(DONE)]));
    await settle();
    expect(status(page)).toBe("DONE");
    expect(page.widgets).toEqual([]);
  });

  it("keeps its view when the output is written anew", async () => {
    const page = makePage("k3v9qa");
    const output = new FakeOutput(bundleOf(makeJob()));
    const socket = await begin(page, output);
    socket?.emit(makeSnapshot([makeJob()], { messages: { [ID]: makeRows(1, 9, String) } }));
    await settle();
    const card = page.renderer.node.querySelector("[data-job-id]");
    await page.renderer.renderModel(new FakeOutput(bundleOf(makeJob())).model);
    await settle();
    expect(page.renderer.node.querySelector("[data-job-id]")).toBe(card);
    expect(card?.getAttribute("data-interim")).toBe("9");
    expect(page.sockets.length).toBe(1);
  });

  it("follows a job that the kernel adds to the output", async () => {
    const page = makePage("k3v9qa");
    const bundle = bundleOf(makeJob());
    const socket = await begin(page, new FakeOutput(bundle));
    const added = makeJob({ id: "k3v9qa-000000000002" });
    await page.renderer.renderModel(new FakeOutput({ ...bundle, ids: [ID, added.id] }).model);
    await settle();
    expect(socket?.sent.at(-1)).toEqual({ type: "subscribe", ids: [ID, added.id] });
  });

  it("shows the widget where the server has another store, while the widget is there", async () => {
    const page = makePage("other1");
    await begin(page, new FakeOutput(bundleOf(makeJob())));
    const [saved, widget] = page.renderer.widgets;
    expect(page.sockets).toEqual([]);
    expect([saved?.isHidden, widget?.isHidden]).toEqual([false, true]);
    expect(page.renderer.node.textContent).toContain("Last known state, saved with the notebook.");
    const view = new Widget();
    page.widgets[0]?.addWidget(view);
    await settle();
    expect([saved?.isHidden, widget?.isHidden]).toEqual([true, false]);
    view.dispose();
    await settle();
    expect([saved?.isHidden, widget?.isHidden]).toEqual([false, true]);
  });

  it("saves what the widget has heard, where nobody else tells of its jobs, and nothing anew once all is told", async () => {
    const page = makePage("other1");
    const output = new FakeOutput(bundleOf(makeJob()));
    await begin(page, output);
    const [renderer] = page.widgets;
    const view = new Widget();
    renderer?.addWidget(view);
    page.context.save();
    expect(output.writes).toBe(0);
    const model = new FakeModel({ _snapshot: makeSnapshot([makeJob()]), _layout: "card", _http: false });
    const close = widget.render({ model, el: view.node });
    page.context.save();
    expect(output.writes).toBe(0);
    model.emit(makeSnapshot([makeJob()], { messages: { [ID]: makeRows(1, 9, String) } }));
    await settle();
    page.context.save();
    expect(output.bundle.snapshot.messages[ID]?.length).toBe(9);
    expect(output.bundle.snapshot.jobs[0]?.status).toBe("RUNNING");
    model.emit(makeDelta(1, { jobs: { [ID]: DONE } }));
    await settle();
    page.context.save();
    expect(output.bundle.snapshot.jobs[0]).toMatchObject({ status: "DONE", result: "42" });
    const { writes } = output;
    page.context.save();
    expect(output.writes).toBe(writes);
    close();
    page.context.save();
    expect(output.writes).toBe(writes);
  });

  it("takes the widget's renderer of a manager that comes late, when the kernel is known", async () => {
    const page = makePage("other1");
    await begin(page, new FakeOutput(bundleOf(makeJob())));
    page.context.sessionContext.statusChanged.emit("idle");
    expect(page.widgets.length).toBe(1);
    page.managers.push({});
    page.context.sessionContext.kernelChanged.emit({});
    expect(page.widgets.map((widget) => widget.isDisposed)).toEqual([true, false]);
    page.widgets[1]?.addWidget(new Widget());
    await settle();
    const [saved, widget, reason] = page.renderer.widgets;
    expect([saved?.isHidden, widget?.isHidden, reason?.isHidden]).toEqual([true, false, false]);
    expect(reason?.node.textContent).toBe("The page's Jupyter server has another store of jobs than this output's.");
    page.renderer.dispose();
    expect(page.context.listeners).toBe(0);
  });

  it("says of a state that nobody can tell more about that it is the last known one", async () => {
    const page = makePage(null, false);
    vi.setSystemTime((NOW + 86_400) * 1_000);
    await begin(page, new FakeOutput(bundleOf(makeJob())));
    expect(page.renderer.node.textContent).toContain("Last known state, saved with the notebook.");
    expect(page.renderer.node.querySelector(".jobdeck-summary")?.textContent).toBe("0:12 elapsed");
    expect(page.renderer.node.querySelector("[data-command]")).toBeNull();
  });

  it("says so where the output is of another version", async () => {
    const page = makePage("k3v9qa");
    const output = new FakeOutput({ ...bundleOf(makeJob()), protocol: 2 });
    await page.renderer.renderModel(output.model);
    expect(page.renderer.node.textContent).toMatch(/jobdeck 0\.1\.0 \(protocol 1\).*\(protocol 2\)/);
  });

  it("leaves nothing behind", async () => {
    const page = makePage("k3v9qa");
    await begin(page, new FakeOutput(bundleOf(makeJob())));
    expect(page.context.listeners).toBe(1);
    page.renderer.dispose();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(page.context.listeners).toBe(0);
    expect(page.connection.load).toEqual({ channels: 0, requests: 0, timers: 0 });
    expect(page.sockets[0]?.isClosed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("what a notebook keeps", () => {
  it("is written when a job ends, once, in all its forms", async () => {
    const page = makePage("k3v9qa");
    const output = new FakeOutput(bundleOf(makeJob()));
    const socket = await begin(page, output);
    socket?.emit(makeSnapshot([makeJob()]));
    socket?.emit(makeDelta(1, { messages: { [ID]: makeRows(1, 3, String) } }));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(output.writes).toBe(0);
    socket?.emit(makeDelta(2, { jobs: { [ID]: DONE } }));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(output.writes).toBe(1);
    expect(output.bundle.snapshot.jobs[0]).toMatchObject({ status: "DONE", interim_count: 3 });
    expect(output.data).toMatchObject({ "text/html": "<b>new</b>", "text/plain": "new", [WIDGET_MIME_TYPE]: { model_id: "m" } });
    page.context.save();
    expect(output.writes).toBe(1);
  });

  it("is left to the kernel where it has written the end already", async () => {
    const page = makePage("k3v9qa");
    const output = new FakeOutput(bundleOf(makeJob()));
    const socket = await begin(page, output);
    socket?.emit(makeSnapshot([makeJob(DONE)]));
    await settle();
    const byKernel = new FakeOutput(bundleOf(makeJob(DONE)));
    await page.renderer.renderModel(byKernel.model);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([output.writes, byKernel.writes]).toEqual([0, 0]);
  });

  it("is not changed by opening it", async () => {
    const page = makePage("k3v9qa");
    const output = new FakeOutput(bundleOf(makeJob(DONE)));
    const socket = await begin(page, output);
    socket?.emit(makeSnapshot([makeJob(DONE)]));
    await vi.advanceTimersByTimeAsync(60_000);
    page.context.save();
    expect(output.writes).toBe(0);
  });

  it("tells of a running job as it is when the notebook is saved", async () => {
    const page = makePage("k3v9qa");
    const output = new FakeOutput(bundleOf(makeJob()));
    const socket = await begin(page, output);
    socket?.emit(makeSnapshot([makeJob()], { messages: { [ID]: makeRows(1, 7, String) } }));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(output.writes).toBe(0);
    page.context.save();
    expect(output.writes).toBe(1);
    expect(output.bundle.snapshot.jobs[0]).toMatchObject({ status: "RUNNING", interim_count: 7 });
    expect(output.data["text/html"]).toBe("<b>new</b>");
    page.context.save();
    expect(output.writes).toBe(1);
  });
});
