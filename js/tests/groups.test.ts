import { effect } from "@preact/signals-core";
import { describe, expect, it } from "vitest";
import { fold, groupOf, lineOf } from "../src/model/folding";
import { elapsedOf, GroupIndex, leftOf } from "../src/model/groups";
import { Selection } from "../src/model/selection";
import { JobTable } from "../src/model/table";
import type { RowsFrame, WireRow } from "../src/model/wire";
import { makeGroup, makeRowsFrame, makeWireRow, NOW } from "./support/wire";

function tableOf(rows: WireRow[], parts: Partial<RowsFrame> = {}): JobTable {
  const table = new JobTable(() => NOW);
  table.apply(makeRowsFrame(0, { rows: rows.toReversed(), ...parts }));
  return table;
}

/** `count` jobs of a group, with these statuses in turn. */
function members(group: string, count: number, statuses = ["DONE"]): WireRow[] {
  return Array.from({ length: count }, (_, i) => makeWireRow(i + 1, { group, status: statuses[i % statuses.length] ?? "DONE" }));
}

const groups: Record<string, string> = { a: "x", b: "y", c: "x", d: "y" };
const groupOfJob = (id: string): string | null => groups[id] ?? null;

describe("lines", () => {
  it("have each group where the first of its jobs would be, and its jobs below it where it is open", () => {
    const order = ["1", "a", "b", "2", "c", "d"];
    expect(fold(order, groupOfJob, () => false).lines).toEqual(["1", "group:x", "group:y", "2"]);
    const { lines, shown } = fold(order, groupOfJob, (group) => group === "x");
    expect(lines).toEqual(["1", "group:x", "a", "c", "group:y", "2"]);
    expect([...shown]).toEqual([["x", ["a", "c"]], ["y", ["b", "d"]]]);
  });

  it("without groups are the jobs themselves", () => {
    const order = ["1", "2"];
    expect(fold(order, () => null, () => true).lines).toBe(order);
  });

  it("tell groups from jobs", () => {
    expect([groupOf(lineOf("x:y")), groupOf("k3v9qa-000000000001")]).toEqual(["x:y", null]);
  });
});

describe("a selection", () => {
  it("of a group's line is one of its jobs", () => {
    const jobs: Record<string, string[]> = { "group:x": ["a", "c"] };
    const selection = new Selection((line) => jobs[line] ?? [line]);
    selection.toggle("group:x");
    expect([...selection.ids.value]).toEqual(["a", "c"]);
    selection.toggle("c");
    selection.toggle("group:x");
    expect([...selection.ids.value].sort()).toEqual(["a", "c"]);
    selection.toggle("group:x");
    expect(selection.ids.value.size).toBe(0);
    selection.only("1");
    selection.extend("group:x", ["1", "2", "group:x"]);
    expect([...selection.ids.value]).toEqual(["1", "2", "a", "c"]);
    selection.prune((id) => id !== "c", (line) => line === "group:x");
    expect([[...selection.ids.value], selection.active.value]).toEqual([["1", "2", "a"], "group:x"]);
  });
});

describe("a group", () => {
  it("stands as its jobs do", () => {
    const rows = members("x", 4, ["DONE", "ERROR", "RUNNING", "QUEUED"]).map((row, i) => ({
      ...row,
      ...(i < 3 && { started: NOW - 40 + i }),
      ...(i < 2 && { ended: NOW - 20 + i }),
    }));
    const index = new GroupIndex(tableOf([...rows, makeWireRow(9)], { groups: [makeGroup("x", { total: 10, name: "vqe" })] }));
    const standing = index.standing("x");
    expect(standing).toMatchObject({ total: 10, jobs: 4, final: 2, failed: 1, underWay: 2, started: NOW - 40, ended: null, engines: ["local"] });
    expect(standing.tallies.map(({ status, count }) => [status, count])).toEqual([["RUNNING", 1], ["QUEUED", 1], ["DONE", 1], ["ERROR", 1]]);
    expect([elapsedOf(standing, NOW), leftOf(standing, NOW)]).toEqual([40, 160]);
    index.dispose();
  });

  it("is over when as many jobs as it is to have are", () => {
    const rows = members("x", 2).map((row, i) => ({ ...row, started: NOW - 9, ended: NOW - 5 + i }));
    const index = new GroupIndex(tableOf(rows, { groups: [makeGroup("x", { total: 2 })] }));
    expect(index.standing("x")).toMatchObject({ ended: NOW - 4, final: 2 });
    expect([elapsedOf(index.standing("x"), NOW), leftOf(index.standing("x"), NOW)]).toEqual([5, null]);
    index.dispose();
  });

  it("that ended is over while the page is still told of its older jobs, and is to come where nobody is", () => {
    const rows = members("x", 2).map((row) => ({ ...row, started: NOW - 9, ended: NOW - 5 }));
    const named = { groups: [makeGroup("x", { total: 4 })] };
    const table = tableOf(rows, { ...named, more: true });
    const index = new GroupIndex(table);
    expect(index.standing("x")).toMatchObject({ ended: NOW - 5, total: 4, final: 4, jobs: 2 });
    table.apply(makeRowsFrame(1, { reset: false, rows: [makeWireRow(9, { group: "x", status: "RUNNING", started: NOW - 8, ended: null })], more: true }));
    expect(index.standing("x")).toMatchObject({ ended: null, total: 4, final: 2 });
    table.apply(makeRowsFrame(2, { reset: false, removed: [makeWireRow(9).id], more: false }));
    expect(index.standing("x")).toMatchObject({ ended: null, total: 4, final: 2 });
    index.dispose();
  });

  it("of which nothing was told has the name of its first job", () => {
    const index = new GroupIndex(tableOf(members("x", 2)));
    expect(index.standing("x").group).toMatchObject({ id: "x", name: "job 1", total: null });
    index.dispose();
  });

  it("is followed: only what happens to its own jobs wakes who reads it", () => {
    const table = tableOf([...members("x", 2, ["RUNNING"]), makeWireRow(3, { status: "RUNNING", group: "y" })], { groups: [makeGroup("x")] });
    const index = new GroupIndex(table);
    const seen: number[] = [];
    const stop = effect(() => void seen.push(index.standing("x").final));
    const change = (seq: number, number: number, parts: Record<string, unknown>): void =>
      void table.apply(makeRowsFrame(seq, { reset: false, changes: { [makeWireRow(number).id]: parts } }));
    change(1, 1, { status: "DONE", ended: NOW });
    change(2, 3, { status: "DONE", ended: NOW });
    expect(seen).toEqual([0, 1]);
    table.apply(makeRowsFrame(3, { reset: false, rows: [makeWireRow(4, { group: "x" })] }));
    expect(seen).toEqual([0, 1, 2]);
    table.apply(makeRowsFrame(4, { reset: false, removed: [makeWireRow(4).id, makeWireRow(2).id] }));
    expect([seen.at(-1), index.jobsOf("x").size]).toEqual([1, 1]);
    table.apply(makeRowsFrame(5, { reset: false, groups: [makeGroup("x", { name: "renamed" })] }));
    expect(index.standing("x").group.name).toBe("renamed");
    stop();
    index.dispose();
  });

  it("is forgotten with another store", () => {
    const table = tableOf(members("x", 1), { groups: [makeGroup("x")] });
    table.apply(makeRowsFrame(0, { store_id: "other", rows: [] }));
    expect(table.groups.value.size).toBe(0);
  });
});
