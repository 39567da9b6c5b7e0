import { signal } from "@preact/signals";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Targets } from "../src/lab/target";
import { currentJobs } from "../src/model/current";
import { fillRow } from "../src/model/row";
import { JobTable } from "../src/model/table";
import type { WireRow } from "../src/model/wire";
import { mountPanel } from "../src/view/panel";
import { HOSTILE, makeGroup, makeRowsFrame, makeWireRow, NOW } from "./support/wire";

const id = (number: number): string => makeWireRow(number).id;

function rowsOf(...rows: WireRow[]): JobTable {
  const table = new JobTable(() => NOW);
  table.apply(makeRowsFrame(0, { rows, total: rows.length }));
  return table;
}

const RUNNING = makeWireRow(4, { name: "vqe-h2", status: "RUNNING", started: NOW - 12, ended: null, progress: { done: 57, total: 100, message: null } });
const WAITING = makeWireRow(3, { name: "vqe-lih", status: "QUEUED", started: null, ended: null });
const DONE = makeWireRow(2, { name: "bell", started: NOW - 10, ended: NOW - 7 });
const FAILED = makeWireRow(1, { name: HOSTILE, status: "ERROR", started: NOW - 10, ended: NOW - 3, tags: ["odd"] });

/** Do something that changes what is shown, and have it shown. */
function painted(change: () => unknown): void {
  void act(() => void change());
}

describe("the jobs of a panel", () => {
  const fill = (number: number, parts: Partial<WireRow>): ReturnType<typeof fillRow> => fillRow(makeWireRow(number, { ended: null, ...parts }));

  it("are those that run, those that wait in the order of the queue, and those that ended last", () => {
    const rows = [
      fill(6, { status: "QUEUED", started: null }),
      fill(5, { status: "QUEUED", started: null }),
      fill(4, { status: "RUNNING", started: NOW - 5 }),
      fill(3, { status: "DONE", ended: NOW - 9 }),
      fill(2, { status: "ERROR", ended: NOW - 1 }),
      fill(1, { status: "DONE", ended: NOW - 5 }),
    ];
    const { running, waiting, ended } = currentJobs(rows, 2);
    expect([running, waiting, ended].map((part) => part.map((row) => row.number))).toEqual([[4], [5, 6], [2, 1]]);
    expect(currentJobs(rows, 0).ended).toEqual([]);
    expect(currentJobs(rows, 9, (row) => row.status === "DONE").ended.map((row) => row.number)).toEqual([1, 3]);
  });
});

describe("the panel", () => {
  const root = document.createElement("div");
  let unmount: () => void;
  const onOpen = vi.fn();
  const onDeck = vi.fn();
  const onGroup = vi.fn();
  const onCommand = vi.fn(() => Promise.resolve<string | null>(null));
  const onBulk = vi.fn(() => Promise.resolve<string | null>(null));
  const note = signal<string | null>(null);

  const show = (table: JobTable): void => {
    unmount = mountPanel(root, { table, note, recent: signal(20), onOpen, onDeck, onGroup, onCommand, onBulk });
  };
  const texts = (selector: string): (string | null)[] => [...root.querySelectorAll(selector)].map((element) => element.textContent);
  const button = (label: string): HTMLButtonElement => {
    const all = [...root.querySelectorAll("button")];
    const found = all.find((element) => (element.getAttribute("aria-label") ?? element.textContent) === label);
    if (!found) throw new Error(`no button says ${label}`);
    return found;
  };

  beforeEach(() => {
    document.body.append(root);
    note.value = null;
  });

  afterEach(() => {
    painted(() => unmount());
    root.remove();
    vi.clearAllMocks();
  });

  it("lists the running jobs with their bars, the waiting ones and the recent ones", () => {
    painted(() => show(rowsOf(RUNNING, WAITING, DONE, FAILED)));
    expect(texts("h3")).toEqual(["Running 1", "Queued 1", "Recent 2"]);
    expect(texts(".jobdeck-name")).toEqual(["vqe-h2", "vqe-lih", HOSTILE, "bell"]);
    expect(root.querySelector('[role="progressbar"]')?.getAttribute("aria-valuenow")).toBe("57");
    expect(root.querySelector("img")).toBeNull();
    expect(root.querySelector(`[data-job-id="${id(4)}"]`)?.textContent).toContain("0:12");
  });

  it("has a group as one thing, where the furthest of its jobs is", () => {
    const member = (number: number, parts: Partial<WireRow>): WireRow => makeWireRow(number, { group: "s", ...parts });
    const rows = [member(8, { status: "QUEUED" }), member(7, { status: "RUNNING", started: NOW - 5 }), member(6, { started: NOW - 9, ended: NOW - 4 }), RUNNING, WAITING, DONE];
    const table = rowsOf(...rows);
    painted(() => show(table));
    painted(() => table.apply(makeRowsFrame(1, { reset: false, groups: [makeGroup("s", { name: HOSTILE, total: 4 })] })));
    expect(texts("h3")).toEqual(["Running 2", "Queued 1", "Recent 1"]);
    expect(texts(".jobdeck-name")).toEqual([HOSTILE, "vqe-h2", "vqe-lih", "bell"]);
    expect(root.querySelector("[data-group=s]")?.textContent).toContain("1 / 4");
    expect(root.querySelector("[data-group=s] [role=progressbar]")?.getAttribute("aria-valuetext")).toBe("1 running, 1 queued, 1 done, 1 to come");
    button(HOSTILE).click();
    expect(onGroup).toHaveBeenCalledWith("s");
    const ended = { status: "DONE", started: NOW - 5, ended: NOW };
    painted(() => table.apply(makeRowsFrame(2, { reset: false, changes: { [id(7)]: ended, [id(8)]: ended }, rows: [member(9, ended)] })));
    expect(texts("h3")).toEqual(["Running 1", "Queued 1", "Recent 2"]);
    expect(root.querySelector("[data-group=s]")?.textContent).toContain("4 jobs");
    expect(root.querySelector("img")).toBeNull();
  });

  it("shows a group as running between two of its short jobs, and tells its failures", () => {
    const member = (number: number, parts: Partial<WireRow>): WireRow => makeWireRow(number, { group: "s", ...parts });
    const waiting = { status: "QUEUED", started: null, ended: null };
    const table = rowsOf(member(3, waiting), member(2, waiting));
    const words = (): (string | null | undefined)[] => [...texts("h3"), root.querySelector("[data-group=s] .jobdeck-word")?.textContent];
    painted(() => show(table));
    expect(words()).toEqual(["Queued 1", "Queued"]);
    painted(() => table.apply(makeRowsFrame(1, { reset: false, changes: { [id(2)]: { status: "ERROR", started: NOW - 2, ended: NOW - 1 } } })));
    expect(words()).toEqual(["Running 1", "Running"]);
    expect(texts(".jobdeck-panel-size")).toEqual(["1 / 2 · 1 failed"]);
  });

  it("shows a group that was cancelled midway as cancelled, and how many of its jobs were", () => {
    const ended = { group: "s", started: NOW - 5, ended: NOW - 1 };
    painted(() => show(rowsOf(makeWireRow(3, { ...ended, status: "CANCELLED" }), makeWireRow(2, ended))));
    expect(root.querySelector("[data-group=s] .jobdeck-badge")?.className).toContain("jobdeck-tone-cancelled");
    expect(texts(".jobdeck-panel-size")).toEqual(["2 jobs · 1 cancelled"]);
  });

  it("cancels the jobs of a group that have not ended, and asks first where they are many", async () => {
    const member = (number: number, parts: Partial<WireRow>): WireRow => makeWireRow(number, { group: "s", started: null, ended: null, ...parts });
    const table = rowsOf(member(3, { status: "RUNNING", started: NOW - 5 }), member(2, { status: "QUEUED" }), member(1, { ended: NOW - 4 }));
    painted(() => show(table));
    painted(() => table.apply(makeRowsFrame(1, { reset: false, groups: [makeGroup("s", { name: "scan", total: 3 })] })));
    onBulk.mockResolvedValueOnce("The server is gone.");
    await act(async () => {
      button("Cancel all jobs of scan").click();
      await Promise.resolve();
    });
    expect(onBulk).toHaveBeenCalledWith({ command: "cancel", ids: [id(2), id(3)] });
    expect(texts('[role="alert"]')).toEqual(["The server is gone.✕"]);
    const more = Array.from({ length: 25 }, (_, number) => member(number + 10, { status: "QUEUED" }));
    painted(() => table.apply(makeRowsFrame(2, { reset: false, rows: more })));
    painted(() => button("Cancel all jobs of scan").click());
    expect(onBulk).toHaveBeenCalledTimes(1);
    painted(() => button("Cancel 27 jobs").click());
    expect(onBulk).toHaveBeenCalledTimes(2);
    expect(root.querySelector("dialog")).toBeNull();
    const asked = Object.fromEntries([...more.map((row) => row.id), id(2), id(3)].map((each) => [each, { cancel_state: "requested" as const }]));
    painted(() => table.apply(makeRowsFrame(3, { reset: false, changes: asked })));
    expect(root.querySelector("[data-group=s] button[data-command]")).toBeNull();
  });

  it("follows the jobs, opens one, cancels one and says why it could not be cancelled", async () => {
    const table = rowsOf(RUNNING, WAITING);
    painted(() => show(table));
    button("vqe-h2").click();
    expect(onOpen).toHaveBeenCalledWith(table.row(id(4)));
    onCommand.mockResolvedValueOnce("It ended before.");
    await act(async () => {
      button("Cancel vqe-h2").click();
      await Promise.resolve();
    });
    expect(onCommand).toHaveBeenCalledWith(id(4), "cancel");
    expect(texts('[role="alert"]')).toEqual(["It ended before.✕"]);
    painted(() => table.apply(makeRowsFrame(1, { changes: { [id(4)]: { cancel_state: "requested" } } })));
    await act(async () => {
      button("Kill vqe-h2 now").click();
      await Promise.resolve();
    });
    expect(onCommand).toHaveBeenLastCalledWith(id(4), "kill");
    expect(texts('[role="alert"]')).toEqual([]);
    painted(() => table.apply(makeRowsFrame(2, { changes: { [id(4)]: { status: "CANCELLED", ended: NOW } } })));
    expect(texts("h3")).toEqual(["Queued 1", "Recent 1"]);
  });

  it("finds jobs by a query", () => {
    painted(() => show(rowsOf(RUNNING, WAITING, DONE, FAILED)));
    const box = root.querySelector<HTMLInputElement>("input");
    const type = (text: string): void =>
      painted(() => {
        if (box) box.value = text;
        box?.dispatchEvent(new Event("input", { bubbles: true }));
      });
    type("VQE");
    expect(texts(".jobdeck-name")).toEqual(["vqe-h2", "vqe-lih"]);
    type("tag:odd status:error");
    expect(texts(".jobdeck-name")).toEqual([HOSTILE]);
    type("status:");
    expect(texts(".jobdeck-name")).toHaveLength(4);
    expect(box?.getAttribute("aria-invalid")).toBe("true");
    expect(texts(".jobdeck-trouble")[0]).toMatch(/status/);
    type("nothing");
    expect(texts(".jobdeck-empty")).toEqual(["No job matches."]);
  });

  it("leaves what it cannot hold to the deck", () => {
    const waiting = Array.from({ length: 391 }, (_, number) => makeWireRow(number + 1, { status: "QUEUED", started: null, ended: null }));
    painted(() => show(rowsOf(...waiting)));
    expect(texts("h3")).toEqual(["Queued 391"]);
    expect(texts(".jobdeck-name")).toHaveLength(100);
    button("291 more in the deck").click();
    expect(onDeck).toHaveBeenCalledWith("status:queued");
  });

  it("says what is the matter", () => {
    const table = rowsOf();
    painted(() => show(table));
    expect(texts(".jobdeck-empty")).toEqual(["No jobs yet."]);
    painted(() => table.tell("The store is locked."));
    expect(texts('.jobdeck-trouble')).toEqual(["The store is locked."]);
    painted(() => {
      note.value = "The Jupyter server does not have jobdeck.";
    });
    expect(root.textContent).toContain("The Jupyter server does not have jobdeck.");
    expect(root.textContent).not.toContain("No jobs yet.");
  });

  it("keeps single keys to itself, and lets the application have its shortcuts", () => {
    painted(() => show(rowsOf(RUNNING)));
    const target = button("vqe-h2");
    const isKept = (key: string, more: KeyboardEventInit = {}): boolean => {
      target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...more }));
      return target.hasAttribute("data-lm-suppress-shortcuts");
    };
    expect(["a", "d", "m", "ArrowDown", "Enter"].map((key) => isKept(key))).toEqual([true, true, true, true, true]);
    expect(isKept("s", { ctrlKey: true })).toBe(false);
    expect(isKept("J", { shiftKey: true })).toBe(true);
    expect(isKept("Enter", { shiftKey: true })).toBe(false);
    painted(() => unmount());
    expect(isKept("a")).toBe(false);
  });

  it("is where a command finds the job that it is about", () => {
    painted(() => show(rowsOf(RUNNING, DONE)));
    const pointed = root.querySelector<HTMLElement>(`[data-job-id="${id(2)}"]`) ?? undefined;
    const targets = new Targets({ contextMenuHitTest: (test) => (pointed && test(pointed) ? pointed : undefined) }, document);
    expect(targets.find({})).toBeNull();
    expect(targets.find({ pointed: true })).toEqual({ id: id(2), name: "bell", status: "DONE" });
    expect(targets.find({ id: "k3v9qa-x" })).toEqual({ id: "k3v9qa-x", name: "", status: "" });
    button("Cancel vqe-h2").focus();
    expect(targets.find({})).toEqual({ id: id(4), name: "vqe-h2", status: "RUNNING" });
    const palette = document.body.appendChild(document.createElement("div"));
    palette.className = "lm-CommandPalette";
    palette.appendChild(document.createElement("input")).focus();
    expect(targets.find({})?.id).toBe(id(4));
    root.querySelector("input")?.focus();
    expect(targets.find({})).toBeNull();
    targets.dispose();
    button("Cancel vqe-h2").focus();
    expect(targets.find({})).toBeNull();
    palette.remove();
  });
});
