import { signal } from "@preact/signals";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CommHost } from "../src/host/comm";
import { Session } from "../src/host/session";
import { StaticHost } from "../src/host/static";
import { Deck } from "../src/model/deck";
import type { JobInfo, Layout, Snapshot } from "../src/model/wire";
import { translator } from "../src/model/translation";
import { forgetAll } from "../src/view/memory";
import { mount } from "../src/view/root";
import widget from "../src/widget";
import { expectAccessible } from "./support/page";
import { FakeModel, flushing } from "./support/transports";
import { BODIES, HOSTILE, makeDelta, makeJob, makeRows, makeSnapshot, NOW } from "./support/wire";

const ID = makeJob().id;

// uPlot paints on a canvas, which this DOM does not have: what it is given is recorded instead.
const plots = vi.hoisted(() => ({ open: 0, data: [] as unknown[][] }));
vi.mock("uplot", () => ({
  default: class {
    constructor(_options: unknown, data: unknown[]) {
      plots.open += 1;
      plots.data.push(data);
    }
    setData(data: unknown[]): void {
      plots.data.push(data);
    }
    setSize(): void {
      throw new Error("nothing is resized here");
    }
    destroy(): void {
      plots.open -= 1;
    }
  },
}));

/** Everything on a page that goes on after its view is gone. */
class Leftovers {
  observers = 0;
  intervals = 0;
  listeners = 0;

  install(): void {
    for (const name of ["ResizeObserver", "MutationObserver", "IntersectionObserver"]) {
      vi.stubGlobal(name, this.observer());
    }
    vi.spyOn(globalThis, "setInterval").mockImplementation(((): number => {
      this.intervals += 1;
      return 7;
    }) as unknown as typeof setInterval);
    vi.spyOn(globalThis, "clearInterval").mockImplementation((timer) => {
      if (timer !== undefined) this.intervals -= 1;
    });
    for (const target of [document, window]) this.count(target);
  }

  get sum(): number {
    return this.observers + this.intervals + this.listeners;
  }

  private observer(): unknown {
    const count = (n: number): void => {
      this.observers += n;
    };
    return class {
      private readonly observed = new Set<unknown>();
      observe(target: unknown): void {
        if (!this.observed.has(target)) count(1);
        this.observed.add(target);
      }
      unobserve(target: unknown): void {
        if (this.observed.delete(target)) count(-1);
      }
      disconnect(): void {
        count(-this.observed.size);
        this.observed.clear();
      }
    };
  }

  private count(target: EventTarget): void {
    const add = target.addEventListener.bind(target);
    const remove = target.removeEventListener.bind(target);
    vi.spyOn(target, "addEventListener").mockImplementation((...args: Parameters<typeof add>) => {
      this.listeners += 1;
      add(...args);
    });
    vi.spyOn(target, "removeEventListener").mockImplementation((...args: Parameters<typeof remove>) => {
      this.listeners -= 1;
      remove(...args);
    });
  }
}

interface Shown {
  root: HTMLElement;
  model: FakeModel;
  deck: Deck;
  unmount: () => void;
  find: (selector: string) => HTMLElement;
  all: (selector: string) => HTMLElement[];
  click: (selector: string) => Promise<void>;
  emit: (frame: unknown) => Promise<void>;
}

const open: (() => void)[] = [];

async function show(snapshot: Snapshot, layout: Layout = "card"): Promise<Shown> {
  const root = document.createElement("div");
  document.body.append(root);
  const model = new FakeModel();
  const deck = new Deck(() => NOW);
  const session = new Session(deck, new CommHost(model), flushing());
  model.emit(snapshot);
  let unmount = (): void => undefined;
  await act(() => {
    unmount = mount(root, { session, layout, note: signal(null) });
  });
  open.push(() => {
    unmount();
    session.dispose();
    root.remove();
  });
  const find = (selector: string): HTMLElement => {
    const element = root.querySelector<HTMLElement>(selector);
    if (!element) throw new Error(`${selector} is not there: ${root.textContent}`);
    return element;
  };
  return {
    root,
    model,
    deck,
    unmount: () => {
      unmount();
      session.dispose();
    },
    find,
    all: (selector) => [...root.querySelectorAll<HTMLElement>(selector)],
    click: (selector) => act(() => find(selector).click()),
    emit: (frame) =>
      act(async () => {
        model.emit(frame);
        // An answer goes through promises before it reaches the view.
        await new Promise((resolve) => setTimeout(resolve));
      }),
  };
}

function press(element: Element, key: string): Promise<void> {
  return act(() => {
    element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  });
}

beforeEach(() => {
  // Elements have no height without a layout: rows need one to be seen.
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(108);
  vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockReturnValue(400);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(108);
  plots.data = [];
});

afterEach(() => {
  for (const close of open.splice(0)) close();
  forgetAll();
});

const TEXTS: [string, Partial<JobInfo>, string, string[]][] = [
  ["queued", { status: "QUEUED", started: null, queue_place: 3 }, "Queued", ["3rd in line · local", "Cancel"]],
  ["cancelling", { cancel_state: "stopping", cancel_asked: NOW - 1, cancel_note: "interrupt sent" }, "Cancelling…", ["asked 0:01 ago · interrupt sent", "Kill now"]],
  ["done", { status: "DONE", final: true, started: NOW - 3, ended: NOW, result: "42" }, "Done", ["took 0:03", "Copy result"]],
  ["kept elsewhere", { status: "DONE", final: true, started: NOW - 3, ended: NOW, result: "'energy'", facts: { result: "7.0 MB, kept in the cluster" } }, "Done", ["took 0:03", "Copy preview"]],
  ["cancelled", { status: "CANCELLED", final: true, ended: NOW - 5 }, "Cancelled", ["stopped after 0:07", "Retry"]],
  ["of a foreign word", { status: "CALIBRATING" }, "CALIBRATING", ["0:12 elapsed", "Cancel"]],
];

describe("a card", () => {
  it("of a running job is open, with what came of it so far", async () => {
    const job = makeJob({ tags: ["h2", "sweep"], progress: { done: 57, total: 100, message: null } });
    const card = await show(makeSnapshot([job], { messages: { [ID]: makeRows(1, 57, (i) => ({ iteration: i, energy: -i })) } }));
    expect(card.find(".jobdeck-summary").textContent).toBe("57 / 100 · 0:12 elapsed · 0:09 left");
    expect(card.find("[role=progressbar]").getAttribute("aria-valuenow")).toBe("57");
    expect(card.find("[role=tab][aria-selected=true]").textContent).toBe("Interim results 57");
    expect(card.all("[data-seq] bdi").at(-1)?.textContent).toMatch(/^\{"iteration": \d+, "energy": -\d+\}$/);
    expect(card.all(".jobdeck-tag").map((tag) => tag.textContent)).toEqual(["h2", "sweep"]);
    expect(card.find(".jobdeck-legend").textContent).toBe("energy");
    expect(card.find(".jobdeck-x-name").textContent).toBe("iteration");
  });

  it.each(TEXTS)("%s is one line until it is opened", async (_name, changes, word, texts) => {
    const card = await show(makeSnapshot([makeJob(changes)]));
    expect(card.find("[role=status]").textContent).toContain(word);
    expect([card.find(".jobdeck-summary").textContent, card.find(".jobdeck-actions").textContent]).toEqual(texts);
    expect(card.all("[role=tab]")).toEqual([]);
    await card.click(".jobdeck-name");
    expect(card.all("[role=tab]").length).toBe(4);
    expect(card.find(".jobdeck-name").getAttribute("aria-expanded")).toBe("true");
  });

  it("counts the tags that it has no room for, and claims no number where not all are known", async () => {
    const tags = Array.from({ length: 100 }, (_, i) => `tag-${i}`);
    const known = await show(makeSnapshot([makeJob({ tags: tags.slice(0, 99) })]));
    expect(known.all(".jobdeck-tag").at(-1)?.textContent).toBe("+93");
    const cut = await show(makeSnapshot([makeJob({ tags })]));
    expect(cut.all(".jobdeck-tag").at(-1)?.textContent).toBe("+94…");
  });

  it("of a failed job shows why, with the traceback folded away", async () => {
    const error = { kind: "exception", text: "ValueError: no", traceback: 'Traceback\n  File "/a/scan.py", line 41, in energy(r)\nValueError: no' };
    const card = await show(makeSnapshot([makeJob({ status: "ERROR", final: true, ended: NOW - 5, error })]));
    expect(card.find(".jobdeck-error pre").textContent).toBe("ValueError: no\n  scan.py:41 in energy(r)");
    expect(card.all(".jobdeck-traceback")).toEqual([]);
    await card.click(".jobdeck-fold");
    expect(card.find(".jobdeck-traceback").textContent).toBe(error.traceback);
  });

  it("folds when its job ends, unless somebody is at it", async () => {
    const card = await show(makeSnapshot([makeJob(), makeJob({ id: "b" })]));
    await act(() => void card.find("[data-job-id=b] .jobdeck-details").dispatchEvent(new PointerEvent("pointerdown", { bubbles: true })));
    const done = { status: "DONE", final: true, ended: NOW };
    await card.emit(makeDelta(1, { jobs: { [ID]: done, b: done } }));
    expect(card.all("[role=tablist]").length).toBe(1);
    expect(card.all("[data-job-id=b] [role=tablist]").length).toBe(1);
  });

  it("remembers what a person opened when it is painted anew", async () => {
    const snapshot = makeSnapshot([makeJob({ status: "DONE", final: true, ended: NOW, inputs: { bond: "0.74" } })]);
    const first = await show(snapshot);
    await first.click(".jobdeck-head");
    await first.click('[role=tab][id$="inputs"]');
    first.unmount();
    const second = await show(snapshot);
    expect(second.find("[role=tabpanel]").textContent).toBe("bond0.74");
  });

  it("sends what its button says, and shows a refusal as a sentence", async () => {
    const card = await show(makeSnapshot([makeJob()]));
    await card.click("[data-command=cancel]");
    expect(card.model.sent.at(-1)).toEqual({ type: "command", request: 1, id: ID, command: "cancel" });
    expect(card.find("[data-command=cancel]").hasAttribute("disabled")).toBe(true);
    await card.emit({ type: "reply", request: 1, error: `it has ended ${HOSTILE}`, job: null });
    expect(card.find("[role=alert]").textContent).toContain(`it has ended ${HOSTILE}`);
    await card.click("[role=alert] button");
    expect(card.all("[role=alert]")).toEqual([]);
  });

  it("does not take the second half of a double click on Cancel for a wish to kill", async () => {
    const card = await show(makeSnapshot([makeJob()]));
    const button = card.find("[data-command]");
    await card.click("[data-command=cancel]");
    await card.emit(makeDelta(1, { jobs: { [ID]: { cancel_state: "requested" } } }));
    expect(card.find("[data-command]")).toBe(button);
    await act(() => void button.dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 2 })));
    expect(card.model.sent.filter((frame) => frame.type === "command").map((frame) => frame.command)).toEqual(["cancel"]);
    await card.click("[data-command=kill]");
    expect(card.model.sent.at(-1)).toMatchObject({ command: "kill" });
  });

  it("has a Cancel that does nothing where its job cannot be stopped, and says why", async () => {
    const job = makeJob({ can_cancel: false, cancel_state: "unsupported", cancel_note: "cannot be stopped once it runs" });
    const card = await show(makeSnapshot([job]));
    const button = card.find("[data-command=cancel]");
    expect(button.getAttribute("aria-disabled")).toBe("true");
    expect(card.find(`[id="${button.getAttribute("aria-describedby")}"]`).textContent).toBe("cannot be stopped once it runs");
    await card.click("[data-command=cancel]");
    expect(card.model.sent.some((frame) => frame.type === "command")).toBe(false);
    expect(card.find(".jobdeck-summary").textContent).toContain("cannot be stopped once it runs");
    await card.emit(makeDelta(1, { jobs: { [ID]: { can_cancel: true, cancel_state: null, cancel_note: null } } }));
    expect(button.getAttribute("aria-disabled")).toBeNull();
    await card.click("[data-command=cancel]");
    expect(card.model.sent.at(-1)).toMatchObject({ type: "command", command: "cancel" });
  });

  it("of a job that somebody else runs tells what that system tells", async () => {
    const facts = { usage: 2.5, estimated_usage: 3.5, estimated_start: "2026-03-01 09:00", id: "d3kq", session: HOSTILE, shots: 4_096, circuits: 3, precision: 0.03125, seed_used: 7 };
    const job = makeJob({ watched: true, engine: "ibm-runtime", backend: "ibm_torino", status: "QUEUED", started: null, queue_place: ">2000", facts });
    const card = await show(makeSnapshot([job]));
    expect(card.find(".jobdeck-summary").textContent).toBe("place in line: >2000 · ibm-runtime · ibm_torino");
    await card.click("button.jobdeck-name");
    const told = card.all(".jobdeck-facts > div").map((fact) => [...fact.children].map((part) => part.textContent));
    expect(told).toEqual([
      ["System", "ibm-runtime"],
      ["Backend", "ibm_torino"],
      ["Queue position", ">2000"],
      ["Expected start", "2026-03-01 09:00"],
      ["Expected usage", "3.5 s"],
      ["Usage", "2.5 s"],
      ["Circuits", "3"],
      ["Shots", "4,096"],
      ["Precision", "0.03125"],
      ["Session", HOSTILE],
      ["Job id", "d3kq"],
      ["seed used", "7"],
    ]);
    expect(card.all("[role=tab]").map((tab) => tab.textContent)).toEqual(["Result"]);
    await card.emit(makeDelta(1, { jobs: { [ID]: { status: "DONE", final: true } } }));
    expect(card.all("[data-fact=queue_place]")).toEqual([]);
    await expectAccessible(card.root);
  });

  it("of a job that somebody else runs does not claim to know when it began", async () => {
    const unknown = { watched: true, engine: "process", final: true, started: null, ended: NOW, facts: { id: 14_260 } };
    const failed = await show(makeSnapshot([makeJob({ ...unknown, status: "ERROR" })]));
    expect(failed.find(".jobdeck-summary").textContent).toBe("failed");
    await failed.click("button.jobdeck-name");
    expect(failed.find("[data-fact=id] dd").textContent).toBe("14260");
    const stopped = await show(makeSnapshot([makeJob({ ...unknown, status: "CANCELLED" })]));
    expect(stopped.find(".jobdeck-summary").textContent).toBe("cancelled");
  });

  it("has a result's own text folded below a picture of it, and open where there is none", async () => {
    const chart = { kind: "histogram" as const, labels: ["0", "1"], counts: [3, 5], shots: 8, more: 0 };
    const ended = makeJob({ status: "DONE", final: true, ended: NOW, result: "Result(backend_name='aer_simulator')", chart });
    const card = await show(makeSnapshot([ended]));
    await card.click("button.jobdeck-name");
    expect(card.all(".jobdeck-result-chart").length).toBe(1);
    expect(card.root.textContent).not.toContain("Result(backend_name");
    const fold = card.find(".jobdeck-result > .jobdeck-fold");
    expect([fold.textContent, fold.getAttribute("aria-expanded")]).toEqual(["▸ As text", "false"]);
    await card.click(".jobdeck-result > .jobdeck-fold");
    expect(card.find(`[id="${fold.getAttribute("aria-controls")}"]`).textContent).toBe("Result(backend_name='aer_simulator')");
    await expectAccessible(card.root);
    await card.emit(makeDelta(1, { jobs: { [ID]: { chart: null } } }));
    expect(card.all(".jobdeck-result > .jobdeck-fold")).toEqual([]);
    expect(card.find(".jobdeck-result .jobdeck-text").textContent).toContain("Result(backend_name");
  });

  it("says where a result is that is too large for the store", async () => {
    const facts = { result: "38.1 MB, kept in the cluster" };
    const card = await show(makeSnapshot([makeJob({ engine: "dask://host:8786", status: "DONE", final: true, result: "<ndarray 5×5>", facts })]));
    await card.click("button.jobdeck-name");
    expect(card.find("[data-fact=result] dt").textContent).toBe("Result");
    expect(card.find("[data-fact=result] dd").textContent).toBe(facts.result);
  });

  it("of a job of its own has no facts of another system", async () => {
    const card = await show(makeSnapshot([makeJob({ queue_place: 2 })]));
    expect(card.all(".jobdeck-facts")).toEqual([]);
    expect(card.all("[role=tab]").length).toBe(4);
  });

  it("shows a status that is not ours as its own text with a quiet badge", async () => {
    const card = await show(makeSnapshot([makeJob({ watched: true, status: HOSTILE })]));
    expect(card.find(".jobdeck-tone-unknown .jobdeck-word").textContent).toBe(HOSTILE);
    expect(card.find("[data-command=cancel]").getAttribute("aria-disabled")).toBeNull();
  });

  it("does not run again what somebody else started, and asks once more for its end rather than kill it", async () => {
    const ended = { watched: true, status: "ERROR", final: true, ended: NOW, error: { kind: "exception", text: "too bad", traceback: null } };
    const card = await show(makeSnapshot([makeJob(ended)]));
    const retry = card.find("[data-command=retry]");
    expect(retry.getAttribute("aria-disabled")).toBe("true");
    expect(card.find(`[id="${retry.getAttribute("aria-describedby")}"]`).textContent).toContain("run it again where it was started");
    const stopping = await show(makeSnapshot([makeJob({ watched: true, cancel_state: "requested" })]));
    expect(stopping.find("[data-command]").textContent).toBe("Cancel again");
    await stopping.click("[data-command]");
    expect(stopping.model.sent.at(-1)).toMatchObject({ type: "command", command: "kill" });
  });

  it("of a saved notebook asks for nothing", async () => {
    const root = document.createElement("div");
    const deck = new Deck(() => NOW + 99_999);
    deck.seed(makeSnapshot([makeJob()]));
    const session = new Session(deck, new StaticHost(), flushing());
    let unmount = (): void => undefined;
    await act(() => {
      unmount = mount(root, { session, layout: "card", note: signal("saved") });
    });
    expect(root.querySelector("[data-command]")).toBeNull();
    expect(root.querySelector(".jobdeck-summary")?.textContent).toBe("0:12 elapsed");
    expect(root.textContent).toContain("saved");
    unmount();
  });

  it("stays, and says so, when its job is deleted", async () => {
    const card = await show(makeSnapshot([makeJob()]));
    await card.emit(makeDelta(1, { removed: [ID] }));
    expect(card.find(".jobdeck-note").textContent).toMatch(/no longer/);
    expect(card.all("[data-command]")).toEqual([]);
  });

  it("shows every text of a job as text", async () => {
    const error = { kind: "exception", text: HOSTILE, traceback: `${HOSTILE}\n  File "${HOSTILE}", line 1, in ${HOSTILE}` };
    const hostile = makeJob({
      name: `${HOSTILE}\u202egnp.exe${"x".repeat(10_000)}`,
      tags: [HOSTILE],
      engine: HOSTILE,
      cancel_note: HOSTILE,
      cancel_state: "refused",
      inputs: { [HOSTILE]: HOSTILE },
      result: HOSTILE,
      error,
    });
    const parts = { messages: { [ID]: makeRows(1, 2, () => HOSTILE) }, logs: { [ID]: { start: 0, end: 29, text: `${HOSTILE}\n` } } };
    const card = await show(makeSnapshot([hostile], parts));
    await card.click(".jobdeck-fold");
    await card.click("[data-seq='2']");
    for (const tab of ["interim", "output", "inputs", "result"]) {
      await card.click(`[role=tab][id$="${tab}"]`);
      expect(card.find("[role=tabpanel]").textContent).toContain(HOSTILE);
    }
    expect(card.all("img, script, [onerror]")).toEqual([]);
    expect(card.find(".jobdeck-name").title.length).toBeLessThanOrEqual(300);
    expect(card.find(".jobdeck-name bdi").textContent.length).toBeLessThanOrEqual(300);
  });

  it("shows a published picture", async () => {
    const image = BODIES.find((body) => body.name === "image")?.body ?? "";
    const card = await show(makeSnapshot([makeJob()], { messages: { [ID]: [[1, NOW, image]] } }));
    expect(card.find("img").getAttribute("src")).toMatch(/^data:image\/png;base64,/);
    expect(card.find("[data-seq='1'] bdi").textContent).toBe("<image 4×3>");
  });

  it("fetches a long message when it is opened", async () => {
    const card = await show(makeSnapshot([makeJob()], { messages: { [ID]: [[1, NOW, '"zzz', 20_002]] } }));
    expect(card.find("[data-seq='1'] bdi").textContent).toBe('"zzz…');
    await card.click("[data-seq='1']");
    expect(card.model.sent.at(-1)).toEqual({ type: "range", request: 1, id: ID, what: "body", start: 1 });
    await card.emit({ type: "range", request: 1, id: ID, error: null, messages: null, log: null, whole: JSON.stringify("z".repeat(20_000)) });
    expect(card.find(".jobdeck-opened pre").textContent).toBe("z".repeat(20_000));
  });
});

describe("the log", () => {
  it("puts only the rows on the page that can be seen", async () => {
    const card = await show(makeSnapshot([makeJob()], { messages: { [ID]: makeRows(1, 5_000) } }));
    expect(card.all("[data-seq]").length).toBeLessThan(40);
    expect(card.find(".jobdeck-tall").style.height).toBe(`${5_000 * 18}px`);
  });

  it("fetches the rows that come into sight and are not there", async () => {
    const card = await show(makeSnapshot([makeJob({ interim_count: 900 })]));
    const asked = card.model.sent.filter((frame) => frame.type === "range" && frame.what === "messages");
    expect(asked[0]).toMatchObject({ id: ID, start: 0 });
  });

  it("stops following where somebody scrolls up, and goes on from the button", async () => {
    const card = await show(makeSnapshot([makeJob()], { messages: { [ID]: makeRows(1, 500) } }));
    const list = card.find("[role=listbox]");
    vi.spyOn(list, "scrollHeight", "get").mockReturnValue(9_000);
    const scroll = (top: number): Promise<void> =>
      act(() => {
        list.scrollTop = top;
        list.dispatchEvent(new Event("scroll"));
      });
    await scroll(8_892);
    expect(card.all(".jobdeck-jump")).toEqual([]);
    await scroll(4_000);
    expect(card.all(".jobdeck-jump").length).toBe(1);
    await card.emit(makeDelta(1, { messages: { [ID]: makeRows(501, 510) } }));
    expect(list.scrollTop).toBe(4_000);
    await card.click(".jobdeck-jump");
    expect(list.scrollTop).toBe(9_000);
    expect(card.all(".jobdeck-jump")).toEqual([]);
  });

  it("is used with the keyboard alone", async () => {
    const card = await show(makeSnapshot([makeJob()], { messages: { [ID]: makeRows(1, 3, (seq) => `message ${seq}`) } }));
    const list = card.find("[role=listbox]");
    await press(list, "ArrowUp");
    expect(card.find(".jobdeck-opened pre").textContent).toBe("message 3");
    await press(list, "ArrowUp");
    expect(card.find(".jobdeck-opened pre").textContent).toBe("message 2");
    expect(list.getAttribute("aria-activedescendant")).toBe(card.find("[aria-selected=true][role=option]").id);
    await press(list, "Escape");
    expect(card.all(".jobdeck-opened")).toEqual([]);
  });
});

describe("tabs", () => {
  it("are walked with the arrow keys", async () => {
    const card = await show(makeSnapshot([makeJob()]));
    const tabs = card.all("[role=tab]");
    expect(tabs.map((tab) => tab.tabIndex)).toEqual([0, -1, -1, -1]);
    await press(tabs[0] as Element, "ArrowLeft");
    expect(document.activeElement).toBe(tabs[3]);
    expect(tabs[3]?.getAttribute("aria-selected")).toBe("true");
    await press(tabs[3] as Element, "Home");
    expect(tabs[0]?.getAttribute("aria-selected")).toBe("true");
    expect(card.find("[role=tabpanel]").getAttribute("aria-labelledby")).toBe(tabs[0]?.id);
  });
});

describe("the menu", () => {
  it("opens, is walked and closed with the keyboard, and gives the focus back", async () => {
    const card = await show(makeSnapshot([makeJob()]));
    await card.click("[aria-haspopup=menu]");
    const items = card.all("[role=menuitem]");
    expect(document.activeElement).toBe(items[0]);
    await press(items[0] as Element, "ArrowUp");
    expect(document.activeElement).toBe(items.at(-1));
    await press(items.at(-1) as Element, "Escape");
    expect(card.all("[role=menuitem]")).toEqual([]);
    expect(document.activeElement).toBe(card.find("[aria-haspopup=menu]"));
  });
});

describe("a list", () => {
  const jobs = Array.from({ length: 500 }, (_, i) =>
    makeJob({ id: `job-${i}`, name: `job ${i}`, created: NOW - 1_000 + i, status: i % 2 ? "DONE" : "RUNNING", final: i % 2 === 1, ended: i % 2 ? NOW : null }),
  );

  it("shows the newest first, counts by status, and opens none by itself", async () => {
    const list = await show(makeSnapshot(jobs.slice(0, 4)), "list");
    expect(list.all(".jobdeck-name").map((name) => name.textContent)).toEqual(["job 3", "job 2", "job 1", "job 0"]);
    expect(list.find(".jobdeck-counts").textContent).toBe("All 4Running 2Done 2");
    expect(list.all("[role=tablist]")).toEqual([]);
  });

  it("shows the jobs of one status by its chip, and follows those that come to it", async () => {
    const list = await show(makeSnapshot(jobs.slice(0, 4)), "list");
    const names = (): (string | null)[] => list.all(".jobdeck-name").map((name) => name.textContent);
    await list.click(".jobdeck-chip:nth-child(2)");
    expect(list.find("[aria-pressed=true]").textContent).toBe("Running 2");
    expect(names()).toEqual(["job 2", "job 0"]);
    await list.emit(makeDelta(1, { jobs: { "job-2": { status: "DONE", final: true, ended: NOW } } }));
    expect(names()).toEqual(["job 0"]);
    await list.click("[aria-pressed=true]");
    expect(names()).toHaveLength(4);
  });

  it("of many jobs puts only those on the page that can be seen", async () => {
    const list = await show(makeSnapshot(jobs), "list");
    expect(list.find(".jobdeck-counts").textContent).toBe("All 500Running 250Done 250");
    expect(list.all(".jobdeck-card").length).toBeLessThan(40);
    await list.emit(makeDelta(1, { added: [makeJob({ id: "new", name: "new", created: NOW })] }));
    expect(list.find(".jobdeck-name").textContent).toBe("new");
  });

  it("tells the newest interim result of each job that is under way", async () => {
    const two = [makeJob({ id: "a", status: "RUNNING" }), makeJob({ id: "b", status: "DONE", final: true })];
    const list = await show(makeSnapshot(two, { messages: { a: makeRows(1, 2), b: makeRows(1, 2) } }), "list");
    const latest = (): string[] => list.all(".jobdeck-latest").map((line) => line.dataset.latest ?? "");
    expect(latest()).toEqual(["2"]);
    await list.emit(makeDelta(1, { messages: { a: makeRows(3, 3, () => ({ note: HOSTILE })) } }));
    expect(latest()).toEqual(["3"]);
    expect(list.all(".jobdeck-latest")[0]?.textContent).toContain(HOSTILE);
    expect(list.all("img")).toEqual([]);
  });

  it.each([
    [{ iteration: 3, energy: -1.13694567, basis: "sto-3g", converged: false }, "energy -1.13695, basis sto-3g, converged false"],
    [{ step: 3 }, "step 3"],
    [{ phase: 'a "b"\nc', shots: 1024 }, 'phase a "b" ⏎ c, shots 1024'],
    [{ note: "no number" }, '{"note": "no number"}'],
    [{ energy: 1, params: [1, 2] }, '{"energy": 1, "params": [1, 2]}'],
    [{ __type__: "int", __value__: "12345678901234567890" }, "12345678901234567890"],
    ["words", "words"],
  ])("tells %j in a few words", async (body, words) => {
    const list = await show(makeSnapshot([makeJob({ id: "a" })], { messages: { a: makeRows(1, 1, () => body) } }), "list");
    expect(list.find(".jobdeck-latest").textContent).toBe(words);
  });

  it("without jobs says so", async () => {
    expect((await show(makeSnapshot([]), "list")).root.textContent).toBe("No jobs yet.");
  });
});

describe("a plot", () => {
  it("is given the numbers as they come, and is painted at a pace", async () => {
    const card = await show(makeSnapshot([makeJob()], { messages: { [ID]: makeRows(1, 2, (i) => ({ step: i, loss: 1 / i })) } }));
    await vi.waitFor(() => expect(plots.data.at(-1)).toEqual([[1, 2], [1, 0.5]]));
    await card.emit(makeDelta(1, { messages: { [ID]: makeRows(3, 4, (i) => ({ step: i, loss: 1 / i })) } }));
    await vi.waitFor(() => expect(plots.data.at(-1)).toEqual([[1, 2, 3, 4], [1, 0.5, 1 / 3, 0.25]]));
  });

  it("lets a person leave a series out", async () => {
    const card = await show(makeSnapshot([makeJob()], { messages: { [ID]: makeRows(1, 9, (i) => ({ a: i, b: -i })) } }));
    const keys = card.all(".jobdeck-series");
    expect(keys.map((key) => [key.textContent, key.getAttribute("aria-pressed")])).toEqual([
      ["a", "true"],
      ["b", "true"],
    ]);
    await act(() => keys[1]?.click());
    expect(card.all(".jobdeck-series")[1]?.getAttribute("aria-pressed")).toBe("false");
  });
});

describe("teardown", () => {
  it("leaves no observer, timer or listener behind", async () => {
    const leftovers = new Leftovers();
    leftovers.install();
    const parts = { messages: { [ID]: makeRows(1, 50, (i) => ({ step: i, loss: 1 / i })) } };
    const card = await show(makeSnapshot([makeJob()], parts));
    await card.click("[aria-haspopup=menu]");
    await vi.waitFor(() => expect(plots.open).toBe(1));
    expect(leftovers.observers).toBeGreaterThan(2);
    expect(leftovers.intervals).toBe(1);
    await act(() => card.unmount());
    expect(plots.open).toBe(0);
    expect(leftovers).toMatchObject({ observers: 0, intervals: 0, listeners: 0, sum: 0 });
    expect(card.model.listeners).toBe(0);
    expect(card.root.childNodes.length).toBe(0);
  });

  it("of the widget's last view ends its feed, of an earlier one does not", async () => {
    const model = new FakeModel({ _snapshot: makeSnapshot([makeJob()]), _layout: "card", _http: false });
    const [first, second] = [document.createElement("div"), document.createElement("div")];
    const cleanups: (() => void)[] = [];
    await act(() => {
      cleanups.push(widget.render({ model, el: first }), widget.render({ model, el: second }));
    });
    expect(first.querySelectorAll("[data-job-id]").length).toBe(1);
    expect(model.sent).toEqual([{ type: "subscribe", ids: null }]);
    const listening = model.listeners;
    await act(() => cleanups[0]?.());
    expect(model.listeners).toBe(listening);
    expect(second.querySelectorAll("[data-job-id]").length).toBe(1);
    await act(() => cleanups[1]?.());
    expect(model.listeners).toBe(0);
  });
});

describe("a translator", () => {
  it("translates whole texts, then puts values in, each as it is", () => {
    const trans = translator((text) => (text === "took {time}" ? "dauerte {time}" : text));
    expect(trans.__("took {time}", { time: "{name}" })).toBe("dauerte {name}");
    expect(trans.__("{unknown} stays")).toBe("{unknown} stays");
  });
});
