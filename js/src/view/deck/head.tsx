import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import { usePlace } from "../env";
import { columnLabel, type Column } from "./columns";
import { useDeck } from "./control";

/** Pixels of one press of a key. */
const STEP = 16;

/** The columns' names: a click sorts, a drag at the end resizes; by keyboard Enter and Shift with the arrow keys do. */
export function Head({ columns }: { columns: readonly Column[] }): VNode {
  const { trans } = usePlace();
  const control = useDeck();
  const root = useRef<HTMLDivElement>(null);
  const { column: sorted, descending } = control.sort.value;
  const onKeyDown = (event: KeyboardEvent): void => {
    const buttons = [...(root.current?.querySelectorAll("button") ?? [])];
    const at = buttons.findIndex((button) => button === event.target);
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const column = columns[at];
    if (step === 0 || !column) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.shiftKey) control.resize(column.id, widthOf(event.target as Element) + step * STEP);
    else buttons[at + step]?.focus();
  };
  return (
    <div class="jobdeck-grid-head" role="rowgroup">
      <div class="jobdeck-grid-row" role="row" aria-rowindex={1} ref={root} onKeyDown={onKeyDown}>
        {columns.map((column, place) => (
          <div
            key={column.id}
            role="columnheader"
            class={`jobdeck-cell${column.isNumber ? " jobdeck-number" : ""}`}
            aria-colindex={place + 1}
            aria-sort={column.id === sorted ? (descending ? "descending" : "ascending") : "none"}
            data-column={column.id}
          >
            <button
              type="button"
              class="jobdeck-sort"
              tabIndex={place === 0 ? 0 : -1}
              title={trans.__("Sort by {name}. Shift and the arrow keys change the width.", { name: columnLabel(column, trans) })}
              onClick={() => control.sortBy(column.id)}
            >
              <bdi>{columnLabel(column, trans)}</bdi>
              {column.id === sorted ? <span aria-hidden="true"> {descending ? "▾" : "▴"}</span> : null}
            </button>
            <Grip id={column.id} />
          </div>
        ))}
      </div>
    </div>
  );
}

/** How wide the column is around an element of its head. */
function widthOf(element: Element): number {
  return element.closest("[role=columnheader]")?.getBoundingClientRect().width ?? 0;
}

function Grip({ id }: { id: string }): VNode {
  const control = useDeck();
  const begin = useRef<{ x: number; width: number; sign: number } | null>(null);
  const end = (): void => {
    begin.current = null;
  };
  return (
    <span
      class="jobdeck-grip"
      aria-hidden="true"
      onPointerDown={(event) => {
        event.preventDefault();
        const element = event.currentTarget;
        element.setPointerCapture(event.pointerId);
        begin.current = { x: event.clientX, width: widthOf(element), sign: getComputedStyle(element).direction === "rtl" ? -1 : 1 };
      }}
      onPointerMove={(event) => {
        const from = begin.current;
        if (from) control.resize(id, from.width + (event.clientX - from.x) * from.sign);
      }}
      onPointerUp={end}
      onPointerCancel={end}
    />
  );
}
