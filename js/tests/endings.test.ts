import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Endings } from "../src/lab/endings";
import { groupNotice, notice, repeatable } from "../src/lab/notice";
import { Told, type Shelf } from "../src/lab/told";
import { fillRow } from "../src/model/row";
import { JobTable, type DeckRow } from "../src/model/table";
import type { WireRow } from "../src/model/wire";
import { translator } from "../src/model/translation";
import { HOSTILE, makeGroup, makeRowsFrame, makeWireRow, NOW } from "./support/wire";

const id = (number: number): string => makeWireRow(number).id;
const running = (number: number, ran: number): WireRow => makeWireRow(number, { status: "RUNNING", started: NOW - ran, ended: null });

class MemoryShelf implements Shelf {
  text: string | null = null;

  getItem(): string | null {
    return this.text;
  }

  setItem(_key: string, text: string): void {
    this.text = text;
  }
}

interface Tab {
  table: JobTable;
  told: DeckRow[][];
  groups: [string, number][];
  endings: Endings;
  end: (seq: number, changes: Record<string, string>) => void;
}

function openTab(rows: WireRow[], { shelf = new MemoryShelf(), isHidden = false }: { shelf?: Shelf; isHidden?: boolean } = {}): Tab {
  const table = new JobTable(() => NOW);
  const told: DeckRow[][] = [];
  const groups: [string, number][] = [];
  const memory = new Told(shelf, (act) => Promise.resolve(act()));
  const endings = new Endings(table, {
    after: () => 10,
    isHidden: () => isHidden,
    claim: (ids) => memory.claim(ids),
    tell: (ended) => told.push([...ended]),
    tellGroup: (group, ended) => groups.push([group.name, ended.length]),
  });
  table.apply(makeRowsFrame(0, { rows, total: rows.length, groups: [makeGroup("s", { name: "vqe", total: 3 })] }));
  const end = (seq: number, changes: Record<string, string>): void => {
    const ended = Object.entries(changes).map(([job, status]) => [job, { status, ended: NOW }]);
    table.apply(makeRowsFrame(seq, { changes: Object.fromEntries(ended) as Record<string, Record<string, unknown>> }));
  };
  return { table, told, groups, endings, end };
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW * 1_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

const ids = (told: DeckRow[][]): string[][] => told.map((rows) => rows.map((row) => row.id));

describe("ends of jobs", () => {
  it("are told of where the job ran for long enough, and was not cancelled", async () => {
    const tab = openTab([running(1, 12), running(2, 3), running(3, 12), running(4, 12)]);
    tab.end(1, { [id(1)]: "DONE", [id(2)]: "DONE", [id(3)]: "CANCELLED" });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(ids(tab.told)).toEqual([[id(1)]]);
  });

  it("are not told of where the page did not watch them", async () => {
    const tab = openTab([makeWireRow(1, { started: NOW - 60, ended: NOW })]);
    tab.end(1, { [id(1)]: "DONE" });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(tab.told).toEqual([]);
  });

  it("are told of where the job was over when the page first heard of it", async () => {
    const tab = openTab([]);
    tab.table.apply(makeRowsFrame(1, { rows: [makeWireRow(1, { started: NOW - 11, ended: NOW })] }));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(ids(tab.told)).toEqual([[id(1)]]);
  });

  it("that come within two seconds are told of together", async () => {
    const tab = openTab([running(1, 12), running(2, 12), running(3, 12)]);
    tab.end(1, { [id(1)]: "DONE" });
    await vi.advanceTimersByTimeAsync(1_500);
    tab.end(2, { [id(2)]: "ERROR" });
    await vi.advanceTimersByTimeAsync(1_500);
    expect(ids(tab.told)).toEqual([[id(1), id(2)]]);
    tab.end(3, { [id(3)]: "DONE" });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(ids(tab.told)).toEqual([[id(1), id(2)], [id(3)]]);
  });

  it("are told of by one of several tabs, first by one that somebody may look at", async () => {
    const shelf = new MemoryShelf();
    const rows = [running(1, 12), running(2, 12)];
    const behind = openTab(rows, { shelf, isHidden: true });
    const before = openTab(rows, { shelf });
    behind.end(1, { [id(1)]: "DONE" });
    before.end(1, { [id(1)]: "DONE" });
    await vi.advanceTimersByTimeAsync(5_000);
    expect([ids(behind.told), ids(before.told)]).toEqual([[], [[id(1)]]]);
    before.endings.dispose();
    behind.end(2, { [id(2)]: "DONE" });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(ids(behind.told)).toEqual([[id(2)]]);
  });

  it("of an executor are told of once, when it is shut down, whatever pauses its calls make", async () => {
    const call = (number: number): WireRow => ({ ...running(number, 12), group: "e" });
    const tab = openTab([call(1)]);
    const executor = makeGroup("e", { name: "calls", kind: "executor", total: null });
    tab.table.apply(makeRowsFrame(1, { groups: [executor] }));
    tab.end(2, { [id(1)]: "DONE" });
    await vi.advanceTimersByTimeAsync(10_000);
    tab.table.apply(makeRowsFrame(3, { rows: [call(2)] }));
    tab.end(4, { [id(2)]: "DONE" });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(tab.groups).toEqual([]);
    tab.table.apply(makeRowsFrame(5, { groups: [{ ...executor, total: 2 }] }));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(tab.groups).toEqual([["calls", 2]]);
  });

  it("of a group are told of once, when all of its jobs have ended", async () => {
    const member = (number: number): WireRow => ({ ...running(number, 12), group: "s" });
    const shelf = new MemoryShelf();
    const tab = openTab([member(1), member(2), member(3), running(4, 12)], { shelf });
    const other = openTab([member(1), member(2), member(3)], { shelf, isHidden: true });
    for (const each of [tab, other]) {
      each.end(1, { [id(1)]: "DONE" });
      await vi.advanceTimersByTimeAsync(3_000);
      each.end(2, { [id(2)]: "ERROR", [id(3)]: "CANCELLED", ...(each === tab && { [id(4)]: "DONE" }) });
      await vi.advanceTimersByTimeAsync(4_000);
    }
    expect([ids(tab.told), tab.groups, other.groups]).toEqual([[[id(4)]], [["vqe", 3]], []]);
    tab.table.apply(makeRowsFrame(3, { reset: false, rows: [{ ...running(5, 0), group: "s", retry_of: id(2) }] }));
    await vi.advanceTimersByTimeAsync(1_000);
    tab.table.apply(makeRowsFrame(4, { reset: false, changes: { [id(5)]: { status: "DONE", ended: NOW + 4 } } }));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(tab.groups).toEqual([["vqe", 3], ["vqe", 3]]);
    for (const each of [tab, other]) each.endings.dispose();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("of a group are not told of before all of its jobs are known", async () => {
    const tab = openTab([]);
    const member = { group: "s", started: NOW - 30, ended: null, status: "RUNNING" };
    tab.table.apply(makeRowsFrame(1, { reset: true, rows: [makeWireRow(3, member)], more: true, groups: [makeGroup("s", { name: "vqe", total: 2 })] }));
    tab.table.apply(makeRowsFrame(2, { changes: { [id(3)]: { status: "DONE", ended: NOW } }, more: true }));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(tab.groups).toEqual([]);
    tab.table.apply(makeRowsFrame(3, { reset: false, rows: [makeWireRow(2, { ...member, status: "DONE", ended: NOW - 1 })], more: false }));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(tab.groups).toEqual([["vqe", 2]]);
  });

  it("of a group are not told of where it was short, or was cancelled as a whole", async () => {
    const members = [1, 2, 3].map((number): WireRow => ({ ...running(number, 12), group: "s" }));
    const cancelled = openTab(members);
    cancelled.end(1, { [id(1)]: "CANCELLED", [id(2)]: "CANCELLED", [id(3)]: "CANCELLED" });
    const short = openTab(members.map((row) => ({ ...row, started: NOW - 3 })));
    short.end(1, { [id(1)]: "DONE", [id(2)]: "DONE", [id(3)]: "DONE" });
    await vi.advanceTimersByTimeAsync(3_000);
    expect([cancelled.groups, short.groups]).toEqual([[], []]);
  });

  it("leave nothing behind", async () => {
    const tab = openTab([running(1, 12)]);
    tab.end(1, { [id(1)]: "DONE" });
    tab.endings.dispose();
    await vi.advanceTimersByTimeAsync(5_000);
    expect([tab.told, vi.getTimerCount()]).toEqual([[], 0]);
  });
});

describe("what tabs leave each other", () => {
  it("is forgotten after some minutes, and is no trouble where it is somebody else's", async () => {
    const shelf = new MemoryShelf();
    let now = 0;
    const told = new Told(shelf, (act) => Promise.resolve(act()), () => now);
    shelf.text = "{not ours";
    expect([...(await told.claim(["a", "b"]))]).toEqual(["a", "b"]);
    expect([...(await told.claim(["b", "c"]))]).toEqual(["c"]);
    now = 600_000;
    expect([...(await told.claim(["a"]))]).toEqual(["a"]);
    expect(JSON.parse(shelf.text)).toEqual([["a", 600_000]]);
  });
});

describe("a notice", () => {
  const trans = translator();
  const row = (number: number, parts: Partial<WireRow>): DeckRow => fillRow(makeWireRow(number, { name: "vqe", started: NOW - 42, ended: NOW, ...parts }));
  const done = row(1, {});
  const failed = row(2, { status: "ERROR", error: { kind: "exception", text: "ValueError: too bad\nmore", traceback: null } });

  it("names a job, how long it took, and why it failed", () => {
    expect(notice([done], trans)).toEqual({ text: "vqe is done after 0:42", tone: "success", failed: [] });
    expect(notice([failed], trans)).toEqual({ text: "vqe failed after 0:42: ValueError: too bad", tone: "error", failed: [failed] });
    expect(notice([row(3, { status: "PARKED", final: true })], trans).text).toBe("vqe has ended: PARKED");
  });

  it("counts several", () => {
    expect(notice([...Array<DeckRow>(12).fill(done), failed], trans).text).toBe("12 jobs done, 1 failed");
    expect(notice([done, failed, failed], trans).text).toBe("1 job done, 2 failed");
    expect(notice([done, done], trans).text).toBe("2 jobs done");
    expect(notice([failed, failed], trans)).toEqual({ text: "2 jobs failed", tone: "error", failed: [failed, failed] });
  });

  it("counts the jobs of a group, and those of them that can be run again", () => {
    const theirs = { ...failed, watched: true };
    const said = groupNotice(makeGroup("s", { name: "vqe" }), [...Array<DeckRow>(298).fill(done), failed, theirs], trans);
    expect(said).toEqual({ text: "Set vqe: 298 done, 2 failed", tone: "error", failed: [failed, theirs] });
    expect(repeatable(said.failed)).toEqual([failed]);
    expect(groupNotice(makeGroup("s", { name: HOSTILE }), [row(4, { status: "CANCELLED" }), done], trans).text).toBe(`Set ${HOSTILE}: 1 done, 1 cancelled`);
  });

  it("of a group that was cancelled midway counts those that were, and does not tell of a success", () => {
    const cancelled = row(4, { status: "CANCELLED" });
    const told = (...ended: DeckRow[]): unknown => groupNotice(makeGroup("s", { name: "vqe" }), ended, trans);
    expect(told(done, done, cancelled)).toEqual({ text: "Set vqe: 2 done, 1 cancelled", tone: "warning", failed: [] });
    expect(told(done, failed, cancelled)).toEqual({ text: "Set vqe: 1 done, 1 failed, 1 cancelled", tone: "error", failed: [failed] });
  });

  it("cuts a name that is too long", () => {
    expect(notice([row(1, { name: "x".repeat(10_000) })], trans).text.length).toBeLessThan(140);
  });
});
