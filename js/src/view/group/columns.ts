import type { DeckRow } from "../../model/row";
import { namesOf } from "../../model/spread";
import { columnOf } from "../deck/columns";
import { defaultState, type DeckState } from "../deck/state";

/** Inputs that have a column of their own at first. */
const MOST_INPUTS = 3;
const SHOWN = ["status", "name", "progress", "latest", "took"];

/** How a group's table begins: its jobs by name, what they were given in columns of their own, none of them open. */
export function groupState(rows: readonly DeckRow[]): DeckState {
  const inputs = namesOf(rows).inputs.slice(0, MOST_INPUTS);
  const ids = [...SHOWN.slice(0, 2), ...inputs.map((name) => `value:${name}`), ...SHOWN.slice(2)];
  const columns = ids.flatMap((id) => {
    const column = columnOf(id);
    return column ? [{ id, width: column.width }] : [];
  });
  return { ...defaultState(), columns, sort: { column: "name", descending: false }, folding: false, timeline: false };
}
