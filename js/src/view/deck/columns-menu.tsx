import type { VNode } from "preact";
import { usePlace } from "../env";
import { allColumns, columnLabel, columnOf, defaultColumns } from "./columns";
import { useDeck } from "./control";
import { Popup } from "./menu";

/** Names of the jobs' own values that are offered as columns. */
const MOST_VALUES = 40;
const LOOKED_AT = 2_000;

function valueNames(rows: readonly { values: Readonly<Record<string, number>> }[]): Set<string> {
  const names = new Set<string>();
  for (const row of rows.slice(0, LOOKED_AT)) {
    for (const name of Object.keys(row.values)) names.add(name);
    if (names.size >= MOST_VALUES) break;
  }
  return names;
}

/** Which columns there are, and in which order. */
export function ColumnsMenu(): VNode {
  const { trans } = usePlace();
  return (
    <Popup label={trans.__("Columns")} role="group">
      {() => <Choices />}
    </Popup>
  );
}

function Choices(): VNode {
  const { trans } = usePlace();
  const control = useDeck();
  const shown = control.columns.value;
  const rest = allColumns(valueNames(control.table.rows.peek())).filter((column) => !shown.some((state) => state.id === column.id));
  const move = (from: number, to: number): void => {
    const moved = shown[from];
    if (moved) control.setColumns(shown.toSpliced(from, 1).toSpliced(to, 0, moved));
  };
  return (
    <>
      {shown.map((state, place) => {
        const column = columnOf(state.id);
        const label = column ? columnLabel(column, trans) : state.id;
        return (
          <span key={state.id} class="jobdeck-choice">
            <label>
              <input
                type="checkbox"
                checked
                disabled={shown.length === 1}
                onChange={() => control.setColumns(shown.toSpliced(place, 1))}
              />
              <bdi>{label}</bdi>
            </label>
            <button
              type="button"
              aria-label={trans.__("Move {name} up", { name: label })}
              disabled={place === 0}
              onClick={() => move(place, place - 1)}
            >
              ↑
            </button>
            <button
              type="button"
              aria-label={trans.__("Move {name} down", { name: label })}
              disabled={place === shown.length - 1}
              onClick={() => move(place, place + 1)}
            >
              ↓
            </button>
          </span>
        );
      })}
      {rest.map((column) => (
        <span key={column.id} class="jobdeck-choice">
          <label>
            <input
              type="checkbox"
              checked={false}
              onChange={() => control.setColumns([...shown, { id: column.id, width: column.width }])}
            />
            <bdi>{columnLabel(column, trans)}</bdi>
          </label>
        </span>
      ))}
      <button type="button" onClick={() => control.setColumns(defaultColumns())}>
        {trans.__("As at first")}
      </button>
    </>
  );
}
