import type { Translation } from "../../model/translation";
import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import type { DeckRow } from "../../model/row";
import { usePlace } from "../env";
import { hint, type Column } from "./columns";
import { useDeck } from "./control";

/** Where a line is. */
export interface LinePlace {
  elementId: string;
  index: number;
  top: number;
  columns: readonly Column[];
}

interface Props extends LinePlace {
  id: string;
  /** Whether there are groups among the lines. */
  isTree: boolean;
  /** It stands below its group. */
  isInside: boolean;
}

/** One job's line. It follows its own row, and the clock while its job runs. */
export function Row({ id, isTree, isInside, elementId, index, top, columns }: Props): VNode {
  const { tick, trans } = usePlace();
  const { table, selection } = useDeck();
  const live = useMemo(() => table.live(id), [table, id]);
  const row = live.value;
  const isSelected = selection.ids.value.has(id);
  const isActive = selection.active.value === id;
  if (row && row.started !== null && !row.final) void tick.value;
  const now = table.now();
  return (
    <div
      id={elementId}
      role="row"
      class={`jobdeck-grid-row${isActive ? " jobdeck-is-active" : ""}${isInside ? " jobdeck-is-inside" : ""}`}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      {...(isTree ? { "aria-level": isInside ? 2 : 1 } : {})}
      data-line={id}
      data-id={id}
      data-status={row?.status}
      style={{ transform: `translateY(${top}px)` }}
    >
      {columns.map((column, place) => (
        <Cell key={column.id} column={column} row={row} now={now} place={place} trans={trans} />
      ))}
    </div>
  );
}

interface CellProps {
  column: Column;
  row: DeckRow | undefined;
  now: number;
  place: number;
  trans: Translation;
}

// A plain function rather than a component: a table has hundreds of them, and they have nothing of their own.
function Cell({ column, row, now, place, trans }: CellProps): VNode {
  return (
    <div
      role="gridcell"
      class={`jobdeck-cell${column.isNumber ? " jobdeck-number" : ""}`}
      aria-colindex={place + 1}
      data-column={column.id}
      title={row && hint(column, row, trans)}
    >
      {row ? column.show(row, now, trans) : null}
    </div>
  );
}
