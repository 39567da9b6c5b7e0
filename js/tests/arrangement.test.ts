import { describe, expect, it, vi } from "vitest";
import { effect } from "@preact/signals-core";
import { Arrangement, type Filter, type SortBy } from "../src/model/arrangement";
import { fewWords } from "../src/model/few-words";
import { parseQuery } from "../src/model/query";
import { statusesOf, withStatus } from "../src/model/query-text";
import { Selection } from "../src/model/selection";
import { JobTable } from "../src/model/table";
import type { WireRow } from "../src/model/wire";
import { makeRowsFrame, makeWireRow, NOW } from "./support/wire";

const ALL: Filter = { dependsOnTime: false, matches: () => true };
const BY_NAME: SortBy = { key: (row) => row.name, descending: false, dependsOnTime: false };
const BY_START: SortBy = { key: (row) => row.started, descending: true, dependsOnTime: false };

const id = (number: number): string => makeWireRow(number).id;

interface Arranged {
  table: JobTable;
  arrangement: Arrangement;
  orders: number[][];
  frame: (parts: Parameters<typeof makeRowsFrame>[1]) => void;
  clock: { now: number };
}

function arranged(rows: WireRow[], filter = ALL, by = BY_NAME): Arranged {
  const clock = { now: NOW };
  const table = new JobTable(() => clock.now);
  table.apply(makeRowsFrame(0, { rows }));
  const arrangement = new Arrangement(table, filter, by);
  const orders: number[][] = [];
  effect(() => void orders.push(arrangement.order.value.map((each) => Number(each.slice(-3)))));
  let seq = 0;
  const frame: Arranged["frame"] = (parts) => void table.apply(makeRowsFrame((seq += 1), { now: clock.now, ...parts }));
  return { table, arrangement, orders, frame, clock };
}

describe("an arrangement", () => {
  const three = [makeWireRow(1, { name: "b" }), makeWireRow(2, { name: "a" }), makeWireRow(3, { name: "c" })];

  it("sorts either way, the newest first where nothing tells, and what has nothing last", () => {
    const { arrangement, orders } = arranged([
      makeWireRow(1, { started: 5 }),
      makeWireRow(2, { started: 5 }),
      makeWireRow(3, { status: "QUEUED" }),
      makeWireRow(4, { started: 9 }),
    ]);
    arrangement.setSort(BY_START);
    expect(orders.at(-1)).toEqual([4, 2, 1, 3]);
    arrangement.setSort({ ...BY_START, descending: false });
    expect(orders.at(-1)).toEqual([2, 1, 4, 3]);
  });

  it("leaves out jobs that are gone, also where a new order waits", () => {
    const { arrangement, orders, frame } = arranged(three);
    frame({ removed: [id(1), id(3), "nonsense"] });
    expect(orders.at(-1)).toEqual([2]);
    arrangement.hold();
    frame({ removed: [id(2)] });
    frame({ rows: [makeWireRow(2, { name: "a" }), makeWireRow(4, { name: "0" })] });
    arrangement.release();
    expect(orders.at(-1)).toEqual([4, 2]);
  });

  it("tells of an order only when it is another one", () => {
    const { orders, frame } = arranged(three);
    frame({ changes: { [id(1)]: { latest: "energy -1", progress: { done: 1, total: 2, message: null } } } });
    frame({ changes: { [id(1)]: { name: "bb" } } });
    expect(orders).toEqual([[2, 1, 3]]);
    frame({ changes: { [id(1)]: { name: "d" } } });
    frame({ rows: [makeWireRow(4, { name: "0" })] });
    frame({ removed: [id(2)] });
    expect(orders.slice(1)).toEqual([
      [2, 3, 1],
      [4, 2, 3, 1],
      [4, 3, 1],
    ]);
  });

  it("lets jobs in and out as they come to match or cease to", () => {
    const { arrangement, orders, frame } = arranged([makeWireRow(1, { status: "RUNNING" }), makeWireRow(2)], parseQuery("status:running"));
    expect(orders.at(-1)).toEqual([1]);
    expect([arrangement.has(id(1)), arrangement.has(id(2)), arrangement.has("unknown")]).toEqual([true, false, false]);
    frame({ changes: { [id(1)]: { status: "DONE" } }, rows: [makeWireRow(3, { status: "RUNNING" })] });
    expect(orders.at(-1)).toEqual([3]);
    arrangement.setFilter(ALL);
    expect(arrangement.rows().map((row) => row.number)).toEqual([1, 2, 3]);
  });

  it("looks again as time goes by where the filter or the order depends on it, and only there", () => {
    const matches = vi.fn((row: { started: number | null }, now: number) => now - (row.started ?? now) < 60);
    const { arrangement, orders, clock } = arranged([makeWireRow(1, { started: NOW - 50 })], { dependsOnTime: true, matches });
    clock.now += 20;
    arrangement.tick();
    expect(orders).toEqual([[1], []]);
    const { arrangement: still } = arranged(three, { dependsOnTime: false, matches });
    matches.mockClear();
    still.tick();
    expect(matches).not.toHaveBeenCalled();
  });

  it("keeps its order while somebody points at it, but not against a wish", () => {
    const { arrangement, orders, frame } = arranged(three);
    arrangement.hold();
    frame({ rows: [makeWireRow(4, { name: "0" })] });
    expect(orders).toHaveLength(1);
    expect(arrangement.isWaiting.value).toBe(true);
    arrangement.release();
    expect(orders.at(-1)).toEqual([4, 2, 1, 3]);
    expect(arrangement.isWaiting.value).toBe(false);
    arrangement.hold();
    arrangement.setSort({ ...BY_NAME, descending: true });
    expect(orders.at(-1)).toEqual([3, 1, 2, 4]);
  });

  it("hears nothing any more once it is disposed of", () => {
    const { arrangement, orders, frame } = arranged(three);
    arrangement.dispose();
    frame({ rows: [makeWireRow(4, { name: "0" })] });
    expect(orders).toHaveLength(1);
  });
});

describe("a result in a few words", () => {
  it.each([
    ['{"iteration": 3, "energy": -1.13691234, "basis": "sto-3g"}', "energy -1.13691, basis sto-3g"],
    ["{'energy': -1.5, 'converged': True, 'note': None}", "energy -1.5, converged True, note None"],
    ['{"step": 3}', "step 3"],
    ["{'it is': \"Ada's\", 'n': 1}", "it is Ada's, n 1"],
    ["{'text': 'a \"word\"', 'n': 1}", "{'text': 'a \"word\"', 'n': 1}"],
    ["[1, 2]\n", "[1, 2]"],
    ["array([1.,\n       2.])", "array([1., ⏎ 2.])"],
    ['{"a": {"b": 1}}', '{"a": {"b": 1}}'],
  ])("is %s", (body, words) => {
    expect(fewWords(body).trim()).toBe(words);
  });
});

describe("a selection", () => {
  const order = ["a", "b", "c", "d", "e"];
  const ids = (selection: Selection): string[] => [...selection.ids.value].sort();

  it("extends from where it began, in either direction", () => {
    const selection = new Selection();
    selection.only("c");
    selection.extend("e", order);
    expect(ids(selection)).toEqual(["c", "d", "e"]);
    selection.extend("a", order);
    expect(ids(selection)).toEqual(["a", "b", "c"]);
    expect(selection.active.value).toBe("a");
  });

  it("adds and takes away single jobs, and a range beside them", () => {
    const selection = new Selection();
    selection.only("a");
    selection.toggle("d");
    selection.extend("e", order, true);
    expect(ids(selection)).toEqual(["a", "d", "e"]);
    selection.toggle("a");
    expect(ids(selection)).toEqual(["d", "e"]);
    selection.clear();
    expect(ids(selection)).toEqual([]);
  });

  it("forgets what cannot be seen any more", () => {
    const selection = new Selection();
    selection.all(order);
    selection.go("b");
    selection.prune((each) => each !== "b");
    expect(ids(selection)).toEqual(["a", "c", "d", "e"]);
    expect(selection.active.value).toBeNull();
    selection.extend("d", order);
    expect(ids(selection)).toEqual(["d"]);
  });
});

describe("the status in a query's text", () => {
  it.each([
    ["", []],
    ["status:running tag:x", ["RUNNING"]],
    ["tag:x STATUS:done,failed", ["DONE", "ERROR"]],
    ['status:"Parked there"', ["Parked there"]],
    ['name:"a status:done"', []],
    ["-status:done", []],
    ["status:", []],
  ])("is read: %s", (text, statuses) => {
    expect(statusesOf(text)).toEqual(statuses);
  });

  it.each([
    ["", ["ERROR"], "status:error"],
    ["tag:x  status:done vqe", ["ERROR", "RUNNING"], "status:error,running tag:x vqe"],
    ["status:done", [], ""],
    ['name:"a  b" status:done', [], 'name:"a  b"'],
    ["energy<-1", ["Parked there"], 'status:"Parked there" energy<-1'],
    ["", ["QUEUE"], 'status:"QUEUE"'],
  ])("is exchanged: %s", (text, statuses, after) => {
    expect(withStatus(text, statuses)).toBe(after);
    expect(statusesOf(after)).toEqual(statuses);
    parseQuery(after);
  });
});
