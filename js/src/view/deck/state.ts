import { defaultColumns, isColumn } from "./columns";

export interface ColumnState {
  id: string;
  /** In pixels. */
  width: number;
}

/** What a person chose for a deck; the host of the view keeps it. */
export interface DeckState {
  query: string;
  sort: { column: string; descending: boolean };
  columns: ColumnState[];
  /** Id of the job in the detail pane. */
  open: string | null;
  timeline: boolean;
  /** Whether a group is one line with its jobs below it. */
  folding: boolean;
  /** Ids of the groups that are open. */
  groups: string[];
}

export const NARROWEST = 40;
const WIDEST = 2_000;
const MOST_COLUMNS = 64;
const LONGEST_QUERY = 10_000;
const MOST_GROUPS = 200;

export function defaultState(): DeckState {
  return { query: "", sort: { column: "started", descending: true }, columns: defaultColumns(), open: null, timeline: true, folding: true, groups: [] };
}

export function clampWidth(width: number): number {
  return Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)));
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** A state that was kept, perhaps by another version: what does not make sense is as it is by default. */
export function readState(kept: unknown): DeckState {
  const state = defaultState();
  const { query, sort, columns, open, timeline, folding, groups } = record(kept);
  if (typeof query === "string") state.query = query.slice(0, LONGEST_QUERY);
  const { column, descending } = record(sort);
  if (typeof column === "string" && isColumn(column)) state.sort = { column, descending: descending === true };
  if (Array.isArray(columns)) {
    const known = new Map<string, ColumnState>();
    for (const entry of columns.slice(0, MOST_COLUMNS)) {
      const { id, width } = record(entry);
      if (typeof id === "string" && isColumn(id) && typeof width === "number" && width > 0) known.set(id, { id, width: clampWidth(width) });
    }
    if (known.size > 0) state.columns = [...known.values()];
  }
  if (typeof open === "string") state.open = open;
  if (typeof timeline === "boolean") state.timeline = timeline;
  if (typeof folding === "boolean") state.folding = folding;
  if (Array.isArray(groups)) state.groups = groups.filter((group) => typeof group === "string").slice(0, MOST_GROUPS);
  return state;
}
