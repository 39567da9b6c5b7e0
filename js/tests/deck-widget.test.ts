import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import deckWidget from "../src/deck-widget";
import { LAB_MARK } from "../src/host/page";
import { keepState, keptState } from "../src/view/deck/kept";
import { defaultState } from "../src/view/deck/state";
import widget from "../src/widget";
import { layOut } from "./support/deck";
import { FakeModel } from "./support/transports";
import { makeGroup, makeJob, makeRowsFrame, makeSnapshot, makeWireRow } from "./support/wire";

beforeEach(() => {
  layOut();
  localStorage.clear();
});

afterEach(() => {
  document.body.replaceChildren();
  document.documentElement.removeAttribute(LAB_MARK);
});

function model(parts: Record<string, unknown> = {}): FakeModel {
  return new FakeModel({ _layout: "deck", _http: false, _snapshot: makeSnapshot([]), _deck: makeRowsFrame(3, { rows: [makeWireRow(1)], total: 7 }), ...parts });
}

function element(): HTMLElement {
  const root = document.createElement("div");
  document.body.append(root);
  return root;
}

async function shown(of: FakeModel, root = element()): Promise<{ root: HTMLElement; close: () => void }> {
  let close = (): void => undefined;
  await act(() => {
    close = deckWidget.render({ model: of, el: root });
  });
  return { root, close };
}

describe("a cell that shows the deck", () => {
  it("paints its first frame at once and asks for the rest", async () => {
    const of = model();
    const { root, close } = await shown(of);
    expect(root.querySelectorAll("[data-id]")).toHaveLength(1);
    expect(root.textContent).toContain("All 7");
    expect(of.sent).toEqual([{ type: "deck", on: true, store_id: null, since: null }]);
    of.emit(makeRowsFrame(0, { rows: [makeWireRow(2), makeWireRow(1)] }));
    await vi.waitFor(() => expect(root.querySelectorAll("[data-id]")).toHaveLength(2));
    close();
    expect(of.sent.at(-1)).toEqual({ type: "deck", on: false });
    expect(of.listeners).toBe(0);
    expect(root.childElementCount).toBe(0);
  });

  it("shows one group and asks for that alone, where it is about one", async () => {
    const frame = makeRowsFrame(0, { rows: [makeWireRow(1, { group: "s" })], total: 2, counts: { DONE: 2 }, more: true, groups: [makeGroup("s", { name: "scan" })] });
    const of = model({ _layout: "group", _group: makeGroup("s", { name: "scan" }), _deck: frame });
    const { root, close } = await shown(of);
    expect(root.querySelector("strong")?.textContent).toBe("scan");
    expect(root.querySelector("[role=progressbar]")?.getAttribute("aria-valuetext")).toBe("2 done");
    expect(of.sent).toEqual([{ type: "deck", on: true, store_id: null, since: null, group: "s" }]);
    close();
    expect([of.listeners, root.childElementCount]).toEqual([0, 0]);
  });

  it("is fed once for two views of it", async () => {
    const of = model();
    const one = await shown(of);
    // anywidget gives every view a proxy of its own.
    const proxy = new Proxy(of, {});
    const two = await shown(proxy);
    expect(of.sent).toHaveLength(1);
    one.close();
    expect(two.root.querySelectorAll("[data-id]")).toHaveLength(1);
    expect(of.sent).toHaveLength(1);
    two.close();
    expect(of.sent.at(-1)).toEqual({ type: "deck", on: false });
  });

  it("says which version is needed where its kernel is of another protocol", async () => {
    const { root, close } = await shown(model({ _deck: { ...makeRowsFrame(0), protocol: 2, version: "0.9" } }));
    expect(root.textContent).toMatch(/jobdeck 0\.1\.0 \(protocol 1\).*jobdeck 0\.9 \(protocol 2\)/);
    close();
  });

  it("remembers its columns and its query in the page, but not which job was open", () => {
    expect(keptState()).toBeNull();
    keepState({ ...defaultState(), query: "status:error", open: "a" });
    expect(keptState()).toEqual({ ...defaultState(), query: "status:error", open: null });
    localStorage.setItem("jobdeck", "{nonsense");
    expect(keptState()).toBeNull();
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("no storage here", "SecurityError");
    });
    keepState(defaultState());
  });
});

describe("a widget in a JupyterLab that is fed by its server", () => {
  const PAGE = { baseUrl: "/", token: "" };

  beforeEach(() => {
    document.documentElement.setAttribute(LAB_MARK, "");
    const config = document.createElement("script");
    config.id = "jupyter-config-data";
    config.type = "application/json";
    config.textContent = JSON.stringify(PAGE);
    document.body.append(config);
    vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ version: "0.1.0", protocol: 1, store_id: "k3v9qa" })));
  });

  it.each([
    ["deck", deckWidget],
    ["cards", widget],
  ])("tells its kernel to rest, unless it has a view: %s", async (_name, module) => {
    const idle = model({ _http: true, _snapshot: makeSnapshot([makeJob()]) });
    module.initialize({ model: idle });
    await vi.waitFor(() => expect(idle.sent).toEqual([{ type: "subscribe", ids: [] }]));
    const seen = model({ _snapshot: makeSnapshot([makeJob()]) });
    let close = (): void => undefined;
    await act(() => {
      close = module.render({ model: seen, el: element() });
    });
    const asked = seen.sent.length;
    module.initialize({ model: seen });
    await vi.waitFor(() => expect(idle.sent).toHaveLength(1));
    expect(seen.sent).toHaveLength(asked);
    close();
  });
});
