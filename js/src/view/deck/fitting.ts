import { columnOf, type Column } from "./columns";
import type { ColumnState } from "./state";

/** In a place narrower than this, columns are left out rather than scrolled to. */
const NARROW = 640;
/** What is left out first. */
const LEAST = ["engine", "started", "inputs", "id", "created", "ended", "backend", "cpu", "memory", "tags", "progress", "took", "latest"];

function narrowest(column: Column, state: ColumnState): number {
  return state.width === column.width ? column.least : state.width;
}

/** The columns that a place of this width shows: all, unless it is as narrow as a side panel. */
export function fit(states: readonly ColumnState[], width: number): Column[] {
  const pairs = states.flatMap((state) => {
    const column = columnOf(state.id);
    return column ? [{ column, least: narrowest(column, state) }] : [];
  });
  if (width > 0 && width < NARROW) {
    let need = pairs.reduce((sum, { least }) => sum + least, 0);
    for (const id of LEAST) {
      const place = pairs.findIndex(({ column }) => column.id === id);
      if (need <= width || pairs.length <= 2) break;
      need -= pairs[place]?.least ?? 0;
      if (place >= 0) pairs.splice(place, 1);
    }
  }
  return pairs.map(({ column }) => column);
}

/** The columns' shares of the width, in the words of a CSS grid. */
export function tracks(columns: readonly Column[], states: readonly ColumnState[]): string {
  const widths = new Map(states.map((state) => [state.id, state]));
  const all = columns.map((column) => {
    const state = widths.get(column.id) ?? column;
    return state.width === column.width ? `minmax(${narrowest(column, state)}px, ${column.width}fr)` : `${state.width}px`;
  });
  // What is left over beside columns that all have a width of their own stays empty.
  return all.some((track) => track.endsWith("fr)")) ? all.join(" ") : `${all.join(" ")} 1fr`;
}
