import { effect } from "@preact/signals-core";
import { describe, expect, it, vi } from "vitest";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { followDeck } from "../src/host/follow";
import { Connection } from "../src/host/server";
import { changeRow, fillRow } from "../src/model/row";
import { JobTable, type RowChange, type TableUpdate } from "../src/model/table";
import { isFrame, mismatch, VERSION, type RowsFrame } from "../src/model/wire";
import { FakeSocket, flushing } from "./support/transports";
import { makeRowsFrame, makeWireRow, NOW } from "./support/wire";

const ONE = makeWireRow(1).id;
const TWO = makeWireRow(2).id;

function numbers(table: JobTable): number[] {
  return table.rows.value.map((row) => row.number);
}

function tableOf(...frames: RowsFrame[]): JobTable {
  const table = new JobTable(() => NOW);
  for (const frame of frames) table.apply(frame);
  return table;
}

describe("a row", () => {
  it("has a value for all that travels only where it says something", () => {
    expect(fillRow(makeWireRow(1))).toMatchObject({ final: true, can_cancel: false, tags: [], latest: "", values: {}, progress: null });
    expect(fillRow(makeWireRow(1, { status: "RUNNING" }))).toMatchObject({ final: false, can_cancel: true });
    expect(fillRow(makeWireRow(1, { status: "RUNNING", can_cancel: false }))).toMatchObject({ can_cancel: false });
  });

  it("follows a status with what is left out because the status says it", () => {
    const running = fillRow(makeWireRow(1, { status: "RUNNING", latest: "energy -1" }));
    const done = changeRow(running, { status: "DONE", ended: NOW, latest: null });
    expect(done).toMatchObject({ status: "DONE", final: true, can_cancel: false, ended: NOW, latest: "" });
    expect(running.latest).toBe("energy -1");
  });

  it("keeps what is not what the status says until a change says so", () => {
    const odd = fillRow(makeWireRow(1, { status: "PARKED", final: true, can_cancel: true }));
    expect(changeRow(odd, { latest: "x" })).toMatchObject({ final: true, can_cancel: true });
    expect(changeRow(odd, { status: "RUNNING", final: null, can_cancel: null })).toMatchObject({ final: false, can_cancel: true });
    expect(changeRow(odd, { status: "DONE", final: null, can_cancel: null })).toMatchObject({ final: true, can_cancel: false });
  });
});

describe("a table of jobs", () => {
  it("shows the newest first, and the older ones as they come", () => {
    const table = tableOf(makeRowsFrame(0, { rows: [makeWireRow(4), makeWireRow(3)], more: true, total: 4 }));
    expect(numbers(table)).toEqual([4, 3]);
    expect([table.total.value, table.isComplete.value, table.change]).toEqual([4, false, -1]);
    table.apply(makeRowsFrame(1, { rows: [makeWireRow(2), makeWireRow(1)], total: 4, change: 9 }));
    expect(numbers(table)).toEqual([4, 3, 2, 1]);
    expect([table.isComplete.value, table.change, table.storeId]).toEqual([true, 9, "k3v9qa"]);
    table.apply(makeRowsFrame(2, { rows: [makeWireRow(5)], removed: [TWO, "unknown"], total: 4 }));
    expect(numbers(table)).toEqual([5, 4, 3, 1]);
    expect(table.row(ONE)?.number).toBe(1);
    expect(table.row(TWO)).toBeUndefined();
  });

  it("tells of changes and not of the first load", () => {
    const heard: RowChange[] = [];
    const updates: TableUpdate[] = [];
    const table = new JobTable(() => NOW);
    const stops = [table.onChange((changes) => heard.push(...changes)), table.onUpdate((update) => updates.push(update))];
    table.apply(makeRowsFrame(0, { rows: [makeWireRow(2, { status: "RUNNING" })], more: true }));
    table.apply(makeRowsFrame(1, { rows: [makeWireRow(1)] }));
    expect(heard).toEqual([]);
    table.apply(makeRowsFrame(2, { rows: [makeWireRow(3)], changes: { [TWO]: { status: "DONE" }, unknown: { status: "DONE" } } }));
    expect(heard.map(({ row, before }) => [row.number, before?.status, row.status])).toEqual([
      [3, undefined, "DONE"],
      [2, "RUNNING", "DONE"],
    ]);
    expect(updates.map((update) => update.changes.length)).toEqual([1, 1, 2]);
    for (const stop of stops) stop();
    table.apply(makeRowsFrame(3, { rows: [makeWireRow(4)] }));
    expect(heard).toHaveLength(2);
  });

  it("wakes only those that show the row that changed", () => {
    const table = tableOf(makeRowsFrame(0, { rows: [makeWireRow(2), makeWireRow(1)] }));
    const seen = vi.fn();
    const stop = effect(() => void seen(table.live(ONE).value?.latest));
    table.apply(makeRowsFrame(1, { changes: { [TWO]: { latest: "two" } } }));
    expect(seen).toHaveBeenCalledTimes(1);
    table.apply(makeRowsFrame(2, { changes: { [ONE]: { latest: "one" } } }));
    expect(seen).toHaveBeenLastCalledWith("one");
    table.apply(makeRowsFrame(3, { removed: [ONE] }));
    expect(seen).toHaveBeenLastCalledWith(undefined);
    stop();
    expect(table.live(TWO)).toBe(table.live(TWO));
  });

  it("notices a missed frame, and does not take the number of what came after it for its own", () => {
    const table = tableOf(makeRowsFrame(0, { rows: [makeWireRow(1)], change: 5 }));
    expect(table.apply(makeRowsFrame(2, { changes: { [ONE]: { latest: "later" } }, change: 7 }))).toBe(false);
    expect(table.row(ONE)?.latest).toBe("later");
    expect(table.change).toBe(5);
    expect(table.apply(makeRowsFrame(3, { change: 8 }))).toBe(true);
    expect(table.change).toBe(5);
    expect(table.apply(makeRowsFrame(0, { reset: false, change: 9 }))).toBe(true);
    expect(table.change).toBe(9);
  });

  it("keeps its rows through a reset until all has come anew, and drops what did not", () => {
    const table = tableOf(makeRowsFrame(0, { rows: [makeWireRow(3), makeWireRow(2), makeWireRow(1)] }));
    table.apply(makeRowsFrame(1, { reset: true, rows: [makeWireRow(3)], more: true }));
    expect(numbers(table)).toEqual([3, 2, 1]);
    table.apply(makeRowsFrame(2, { rows: [makeWireRow(1)] }));
    expect(numbers(table)).toEqual([3, 1]);
  });

  it("holds nothing of one store when another takes its place", () => {
    const table = tableOf(makeRowsFrame(0, { rows: [makeWireRow(2), makeWireRow(1)] }));
    table.apply(makeRowsFrame(0, { store_id: "other", rows: [makeWireRow(7)], more: true, total: 9 }));
    expect(numbers(table)).toEqual([7]);
  });

  it("stands still in time on a saved frame, until one comes", () => {
    let local = NOW + 500;
    const table = new JobTable(() => local);
    table.seed(makeRowsFrame(4, { rows: [makeWireRow(1)], total: 12 }));
    local += 60;
    expect([table.now(), table.isComplete.value, table.change, table.total.value]).toEqual([NOW, false, -1, 12]);
    expect(table.apply(makeRowsFrame(0, { rows: [makeWireRow(2)] }))).toBe(true);
    local += 3;
    expect(table.now()).toBe(NOW + 3);
    expect(numbers(table)).toEqual([2]);
  });

  it("counts by status, and says nothing where the counts are the same", () => {
    const table = tableOf(makeRowsFrame(0, { rows: [makeWireRow(1)], counts: { DONE: 1 } }));
    const seen = vi.fn();
    const stop = effect(() => void seen(table.counts.value));
    table.apply(makeRowsFrame(1, { counts: { DONE: 1 } }));
    expect(seen).toHaveBeenCalledTimes(1);
    table.apply(makeRowsFrame(2, { counts: { DONE: 1, RUNNING: 1 } }));
    expect(seen).toHaveBeenLastCalledWith({ DONE: 1, RUNNING: 1 });
    stop();
  });
});

describe("a followed deck", () => {
  function followed(): { table: JobTable; sockets: FakeSocket[]; connection: Connection; stop: () => void } {
    const sockets: FakeSocket[] = [];
    const connection = new Connection(
      () => "wss://hub.example/feed",
      (url) => {
        const socket = new FakeSocket(url);
        sockets.push(socket);
        return socket;
      },
    );
    const table = new JobTable(() => NOW);
    const stop = followDeck(connection.open([]), table, flushing());
    sockets[0]?.open();
    return { table, sockets, connection, stop };
  }

  it("asks again from what it knows for sure when a frame was missed", () => {
    const { table, sockets, connection, stop } = followed();
    sockets[0]?.emit(makeRowsFrame(0, { rows: [makeWireRow(1)], change: 5 }));
    sockets[0]?.emit(makeRowsFrame(2, { change: 7 }));
    expect(sockets[0]?.sent.slice(1)).toEqual([
      { type: "deck", on: false },
      { type: "deck", on: true, store_id: "k3v9qa", since: 5 },
    ]);
    stop();
    expect(table.rows.value).toHaveLength(1);
    connection.close();
    expect(connection.load).toEqual({ channels: 0, requests: 0, timers: 0 });
  });

  it("begins at the beginning where it was cut off before all had come", () => {
    const { table, sockets, connection, stop } = followed();
    sockets[0]?.emit(makeRowsFrame(0, { rows: [makeWireRow(1)], more: true, change: 5 }));
    vi.useFakeTimers();
    sockets[0]?.drop();
    expect(table.trouble.value).toMatch(/lost/);
    vi.advanceTimersByTime(1_000);
    vi.useRealTimers();
    sockets[1]?.open();
    expect(sockets[1]?.sent).toEqual([{ type: "deck", on: true, store_id: null, since: null }]);
    sockets[1]?.emit(makeRowsFrame(0));
    expect(table.trouble.value).toBeNull();
    stop();
    connection.close();
  });

  it("names both versions where the server speaks another protocol", () => {
    const { table, sockets, connection, stop } = followed();
    sockets[0]?.emit({ ...makeRowsFrame(0), protocol: 2, version: "0.9.0" });
    expect(table.trouble.value).toContain(`jobdeck ${VERSION} (protocol 1)`);
    expect(table.trouble.value).toContain("jobdeck 0.9.0 (protocol 2)");
    stop();
    connection.close();
  });
});

describe("versions", () => {
  it("are one: the package's, the front end's and the Python package's", () => {
    const read = (name: string): string => readFileSync(resolve(import.meta.dirname, name), "utf8");
    expect((JSON.parse(read("../package.json")) as { version: string }).version).toBe(VERSION);
    expect(read("../../src/jobdeck/_version.py")).toContain(`__version__ = "${VERSION}"`);
  });

  it("that differ are told from what is no frame at all", () => {
    expect(isFrame({ ...makeRowsFrame(0), protocol: 2 })).toBe(false);
    expect(mismatch({ protocol: 2 })).toMatch(/another version of jobdeck \(protocol 2\)/);
    expect([mismatch(null), mismatch({ type: "nonsense" }), mismatch(makeRowsFrame(0))]).toEqual([null, null, null]);
  });
});
