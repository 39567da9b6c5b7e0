import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StaticHost } from "../src/host/static";
import { axisOf, namesOf, nearest, nearestLine } from "../src/model/spread";
import { fillRow } from "../src/model/row";
import { JobTable } from "../src/model/table";
import type { GroupInfo, RowsFrame, WireRow } from "../src/model/wire";
import { mountGroup, type GroupProps } from "../src/view/group";
import { tintOf } from "../src/view/group/spread-paint";
import { forgetAll } from "../src/view/memory";
import { countsOf, DeckPage, layOut, settled } from "./support/deck";
import { expectAccessible } from "./support/page";
import { HOSTILE, makeGroup, makeRowsFrame, makeWireRow, NOW } from "./support/wire";

// There is no canvas here; what a card plots has tests of its own.
vi.mock("../src/view/plot", () => ({ Plot: () => null }));

/** Jobs of a sweep: two inputs, and an energy where they are done. */
function sweep(statuses: string[]): WireRow[] {
  return statuses.map((status, i) => {
    const final = ["DONE", "ERROR", "CANCELLED"].includes(status);
    return makeWireRow(i + 1, {
      name: `scan[${i + 1}]`,
      group: "s",
      status,
      inputs: { r: String(i / 10), layers: String(i % 2) },
      values: { r: i / 10, layers: i % 2, ...(status === "DONE" && { energy: -i }) },
      ...(status === "QUEUED" ? {} : { started: NOW - 60 + i }),
      ...(final && { ended: NOW - 20 + i }),
    });
  });
}

const GROUP = makeGroup("s", { name: "h2", tags: ["sweep"], total: 6 });
const MIXED = sweep(["DONE", "DONE", "ERROR", "RUNNING", "QUEUED"]);

class GroupPage extends DeckPage {
  private end: () => void = () => undefined;

  async openGroup(rows: readonly WireRow[], props: Partial<GroupProps> = {}, group: GroupInfo = GROUP): Promise<void> {
    document.body.append(this.root);
    this.table.apply(makeRowsFrame(0, { rows: rows.toReversed(), total: rows.length, counts: countsOf(rows), groups: [group] }));
    await act(() => {
      this.end = mountGroup(this.root, { host: this.host, table: this.table, group: group.id, ...props });
    });
  }

  override close(): void {
    this.end();
    super.close();
  }

  get summary(): string {
    return this.find(".jobdeck-summary").textContent;
  }
}

let page: GroupPage;

beforeEach(() => {
  layOut();
  page = new GroupPage();
});

afterEach(() => {
  page.close();
  forgetAll();
});

describe("a group's card", () => {
  it("tells how its jobs stand, and lists them with what they were given", async () => {
    await page.openGroup([...MIXED, makeWireRow(9, { name: "another" })]);
    expect(page.find("strong").textContent).toBe("h2");
    expect(page.find("[role=status] .jobdeck-word").textContent).toBe("Running");
    expect(page.summary).toBe("3 / 6 · 1 failed · 1:00 elapsed · 1:00 left");
    expect(page.names).toEqual(["scan[1]", "scan[2]", "scan[3]", "scan[4]", "scan[5]"]);
    expect(page.all("[role=columnheader]").map((head) => head.dataset.column)).toEqual(["status", "name", "value:r", "value:layers", "progress", "latest", "took"]);
    expect(page.all(".jobdeck-chip").map((chip) => chip.textContent)).toEqual(["All 5", "Running 1", "Queued 1", "Done 2", "Error 1"]);
    await expectAccessible(page.root);
  });

  it("follows its jobs to the end", async () => {
    await page.openGroup(sweep(["DONE", "RUNNING"]), {}, makeGroup("s", { total: 2 }));
    await page.frame({ changes: { [makeWireRow(2).id]: { status: "DONE", ended: NOW } } });
    expect(page.find("[role=status] .jobdeck-word").textContent).toBe("Done");
    expect(page.summary).toBe("took 1:00");
    expect(page.all(".jobdeck-actions button")).toEqual([]);
  });

  it("that was cancelled midway is told as cancelled, and how many of its jobs were", async () => {
    await page.openGroup(sweep(["DONE", "CANCELLED", "CANCELLED"]), {}, makeGroup("s", { total: 3 }));
    expect(page.find("[role=status]").className).toContain("jobdeck-tone-cancelled");
    expect(page.find("[role=status] .jobdeck-word").textContent).toBe("Cancelled");
    expect(page.summary).toMatch(/^2 cancelled · took /);
  });

  it("cancels all jobs that have not ended, those first that have not started", async () => {
    await page.openGroup(MIXED);
    await page.click("Cancel all");
    expect(page.host.orders).toEqual([{ command: "cancel", ids: [makeWireRow(5).id, makeWireRow(4).id] }]);
  });

  it("asks before it cancels very many", async () => {
    await page.openGroup(sweep(Array.from({ length: 30 }, () => "QUEUED")));
    vi.spyOn(HTMLDialogElement.prototype, "showModal").mockImplementation(() => undefined);
    await page.click("Cancel all");
    expect(page.host.orders).toEqual([]);
    await page.click("Cancel 30 jobs");
    expect(page.host.orders[0]?.ids?.length).toBe(30);
  });

  it("runs again what failed, and stands by the new jobs from then on", async () => {
    await page.openGroup(MIXED);
    page.host.report = { counts: { retried: 1 }, made: {} };
    await page.click("Retry 1 failed");
    expect(page.host.orders).toEqual([{ command: "retry", ids: [makeWireRow(3).id] }]);
    expect(page.find(".jobdeck-report").textContent).toContain("1 started again");
    await page.frame({ rows: [makeWireRow(7, { name: "scan[3]", group: "s", status: "RUNNING", retry_of: makeWireRow(3).id })] });
    expect(page.summary).toContain("2 / 6 ·");
    expect(page.names).toEqual(["scan[1]", "scan[2]", "scan[3]", "scan[4]", "scan[5]"]);
    expect(page.row("scan[3]").dataset.status).toBe("RUNNING");
    expect(page.all("button").some((button) => /failed$/.test(button.textContent))).toBe(false);
  });

  it("does not offer to run again what somebody else started", async () => {
    await page.openGroup(sweep(["ERROR"]).map((row) => ({ ...row, watched: true })));
    expect(page.all("[data-command=retry]")).toEqual([]);
    expect(page.summary).toContain("1 failed");
  });

  it("shows the jobs of one status, and opens the card of one beside them", async () => {
    await page.openGroup(MIXED);
    await page.click(page.all(".jobdeck-chip")[4] ?? "");
    expect(page.names).toEqual(["scan[3]"]);
    await page.click(page.row("scan[3]"));
    expect(page.host.opened).toEqual([[makeWireRow(3).id]]);
    expect(page.find(".jobdeck-pane .jobdeck-card")).toBeTruthy();
  });

  it("of a saved notebook counts the jobs that were not saved, too, and has no buttons", async () => {
    const table = new JobTable(() => NOW + 9_999);
    const frame: RowsFrame = makeRowsFrame(0, { rows: sweep(["DONE"]), total: 300, counts: { DONE: 298, ERROR: 2 }, more: true, groups: [makeGroup("s", { total: 300 })] });
    table.seed(frame);
    await page.openGroup([], { table, host: new StaticHost(), isWhole: true });
    expect(page.find("[role=status] .jobdeck-word").textContent).toBe("Error");
    expect(page.summary).toContain("2 failed");
    expect(page.find("[role=progressbar]").getAttribute("aria-valuetext")).toBe("2 failed, 298 done");
    expect(page.all("[data-command]")).toEqual([]);
  });

  it("shows its words as text", async () => {
    await page.openGroup(MIXED, {}, makeGroup("s", { name: HOSTILE, kind: HOSTILE, tags: [HOSTILE] }));
    expect(page.all("img")).toEqual([]);
    expect(page.find("strong").textContent).toBe(HOSTILE);
  });

  it("leaves nothing behind", async () => {
    const timers = new Set<unknown>();
    const [start, end] = [setInterval, clearInterval];
    vi.spyOn(globalThis, "setInterval").mockImplementation(((act_: () => void, time: number) => {
      const timer = start(act_, time);
      timers.add(timer);
      return timer;
    }) as typeof setInterval);
    vi.spyOn(globalThis, "clearInterval").mockImplementation((timer) => {
      timers.delete(timer);
      end(timer);
    });
    await page.openGroup(MIXED);
    await page.click(page.row("scan[1]"));
    await page.click(page.all("[role=tab]")[1] ?? "");
    expect([timers.size > 0, page.host.watching]).toEqual([true, 1]);
    await act(() => page.close());
    expect([timers.size, page.host.watching]).toEqual([0, 0]);
    const before = page.root.textContent;
    await page.frame({ changes: { [makeWireRow(4).id]: { status: "DONE", ended: NOW } } });
    expect(page.root.textContent).toBe(before);
  });
});

describe("a group's plot", () => {
  it("marks whole numbers alone where all are whole", () => {
    const ticks = (...values: number[]): number[] => axisOf("n", values.map((n, i) => fillRow(makeWireRow(i, { values: { n } }))), 5).ticks;
    expect(ticks(1, 2, 3)).toEqual([1, 2, 3]);
    expect(ticks(1, 2.5, 3)).toEqual([1, 1.5, 2, 2.5, 3]);
    expect(ticks(0, 1_000)).toEqual([0, 500, 1_000]);
  });

  const place = (): HTMLElement => page.find(".jobdeck-spread [role=application]");
  const reading = (): string => page.find(".jobdeck-spread .jobdeck-reading").textContent;
  const choices = (): string[] => page.all(".jobdeck-spread select").map((select) => (select as HTMLSelectElement).value);
  const openPlot = async (rows: WireRow[]): Promise<void> => {
    await page.openGroup(rows);
    await page.click(page.all("[role=tab]")[1] ?? "");
  };

  it("is of results over what jobs were given, in the colours of another input", async () => {
    await openPlot(MIXED);
    expect(choices()).toEqual(["energy", "r", "layers"]);
    expect(reading()).toBe("2 jobs · 3 without these numbers");
    expect(page.find("canvas").dataset.points).toBe("2");
    await expectAccessible(page.root);
  });

  it("is read job by job with the arrow keys, and Enter opens one", async () => {
    await openPlot(MIXED);
    expect(await page.press("ArrowRight", {}, place())).toBe(false);
    expect(reading()).toBe("scan[1] · Done · r 0 · energy 0 · layers 0");
    await page.press("End", {}, place());
    expect(reading()).toBe("scan[2] · Done · r 0.1 · energy -1 · layers 1");
    await page.press("Enter", {}, place());
    expect(page.host.opened).toEqual([[makeWireRow(2).id]]);
    await page.press("Escape", {}, place());
    expect(reading()).toContain("2 jobs");
  });

  it("is of the numbers that are chosen", async () => {
    await openPlot(MIXED);
    const select = page.all(".jobdeck-spread select")[0] as HTMLSelectElement;
    await settled(() => {
      select.value = "layers";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    expect(reading()).toBe("5 jobs");
  });

  it("is a line a job through all numbers, where it is asked to be", async () => {
    await openPlot(MIXED);
    await page.click("Parallel");
    expect(page.find("canvas").getAttribute("aria-label")).toBe("Parallel coordinates of r, layers, energy");
    expect(page.find("canvas").dataset.points).toBe("5");
    await page.press("Home", {}, place());
    expect(reading()).toBe("scan[1] · Done · r 0 · layers 0 · energy 0");
  });

  it("is not there where jobs have no two numbers", async () => {
    await page.openGroup([1, 2].map((n) => makeWireRow(n, { group: "s", values: { a: n } })));
    expect(page.all("[role=tab]").length).toBe(1);
  });

  it("takes numbers that differ, of at least two jobs", () => {
    const rows = [
      { inputs: { r: "1", same: "7" }, values: { r: 1, same: 7, energy: 1, once: 3, bad: Number.NaN } },
      { inputs: { r: "2", same: "7" }, values: { r: 2, same: 7, energy: 2, bad: 4 } },
    ].map((parts, i) => fillRow(makeWireRow(i + 1, parts)));
    expect(namesOf(rows)).toEqual({ inputs: ["r"], results: ["energy"] });
  });

  it("finds what is near to the pointer", () => {
    const row = fillRow(makeWireRow(1));
    const spots = [{ row, x: 10, y: 10, tint: null }, { row, x: 20, y: 10, tint: null }];
    expect([nearest(spots, 17, 11, 14), nearest(spots, 100, 10, 14)]).toEqual([1, null]);
    const lines = [[0, 100, 0], [100, 0, null]];
    expect([nearestLine(lines, [0, 50, 100], 10, 22, 14), nearestLine(lines, [0, 50, 100], 10, 78, 14), nearestLine(lines, [0, 50, 100], 75, 52, 14)]).toEqual([0, 1, 0]);
    expect(nearestLine(lines, [0, 50, 100], 10, 50, 14)).toBeNull();
  });

  it("has colours from the least to the greatest", () => {
    expect([tintOf(0), tintOf(1), tintOf(2)]).toEqual(["rgb(44 123 182)", "rgb(226 110 43)", "rgb(226 110 43)"]);
  });
});
