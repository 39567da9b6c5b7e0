import { tally } from "./status";
import type { DeckRow, JobTable } from "./table";
import { PROTOCOL, VERSION, type GroupInfo, type RowsFrame, type WireRow } from "./wire";

/** Rows in a deck's first frame (`FIRST_ROWS` in Python). */
const FIRST_ROWS = 60;
/** Rows of a group that are saved with it. */
const GROUP_ROWS = 300;

function saysNothing(value: unknown): boolean {
  if (value === null || value === 0 || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** A row as it travels: without what says nothing. */
function wireRow(row: DeckRow): WireRow {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => !saysNothing(value))) as unknown as WireRow;
}

function groupsOf(table: JobTable, rows: readonly DeckRow[]): GroupInfo[] {
  const wanted = new Set(rows.map((row) => row.group));
  return [...table.groups.peek().values()].filter((group) => wanted.has(group.id));
}

/** A table's newest rows as the frame that a notebook saves, to paint from when nobody can be asked. */
export function firstFrame(table: JobTable): RowsFrame {
  const rows = table.rows.peek().slice(0, FIRST_ROWS);
  return frameOf(table, rows, table.total.peek(), table.counts.peek());
}

/** The same of one group, whose jobs are of interest together. */
export function firstGroupFrame(table: JobTable, group: string): RowsFrame {
  const all = table.rows.peek().filter((row) => row.group === group);
  return frameOf(table, all.slice(0, GROUP_ROWS), all.length, Object.fromEntries(tally(all).map(({ status, count }) => [status, count])));
}

function frameOf(table: JobTable, rows: readonly DeckRow[], total: number, counts: Readonly<Record<string, number>>): RowsFrame {
  return {
    type: "rows",
    protocol: PROTOCOL,
    version: VERSION,
    seq: 0,
    store_id: table.storeId,
    now: table.now(),
    change: table.change,
    reset: true,
    more: rows.length < total,
    total,
    counts,
    rows: rows.map(wireRow),
    groups: groupsOf(table, rows),
  };
}
