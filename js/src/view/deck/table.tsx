import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { groupOf, lineOf } from "../../model/folding";
import { useElementId, usePlace } from "../env";
import { useVirtualRows, type VirtualRows } from "../virtual";
import { useWidth } from "../width";
import { fit, tracks } from "./fitting";
import { useDeck, type DeckControl } from "./control";
import { GroupRow } from "./group-row";
import { Head } from "./head";
import { useHold } from "./hold";
import { Row } from "./row";

export const ROW_HEIGHT = 27;
const HEAD_HEIGHT = 28;
/** Rows of a page where its height is not known. */
const PAGE = 10;

/** The jobs as a table that shows the rows on the screen alone. The keyboard goes from row to row. */
export function Table(): VNode {
  const { trans } = usePlace();
  const control = useDeck();
  const id = useElementId();
  const { lines: order, shown } = control.folded.value;
  const states = control.columns.value;
  const rows = useVirtualRows(order.length, ROW_HEIGHT, undefined, HEAD_HEIGHT);
  const width = useWidth(rows.ref);
  const columns = useMemo(() => fit(states, width), [states, width]);
  const template = useMemo(() => tracks(columns, states), [columns, states]);
  useAnchor(rows, order, control);
  const hold = useHold(control.arrangement);
  const active = control.selection.active.value;
  const first = rows.items[0]?.index ?? 0;
  const activeAt = active === null ? undefined : rows.items.find((item) => order[item.index] === active)?.index;
  const pageRows = (): number => Math.max(1, Math.floor(((rows.ref.current?.clientHeight ?? 0) - HEAD_HEIGHT) / ROW_HEIGHT) || PAGE) - 1 || 1;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) return;
    if (!press(event, control, pageRows(), (place) => rows.scrollTo(place))) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const isPristine = control.table.total.value === 0 && control.table.isComplete.value;
  return (
    <div
      class="jobdeck-grid"
      ref={rows.ref}
      role={shown.size > 0 ? "treegrid" : "grid"}
      tabIndex={0}
      aria-label={trans.__("Jobs")}
      aria-multiselectable="true"
      aria-rowcount={order.length + 1}
      aria-colcount={columns.length}
      data-rows={order.length}
      {...(activeAt === undefined ? {} : { "aria-activedescendant": `${id}-${activeAt}` })}
      style={{ "--jobdeck-columns": template }}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        if (event.target === event.currentTarget && active === null && order[first] !== undefined) control.selection.go(order[first]);
      }}
    >
      <Head columns={columns} />
      <div class="jobdeck-grid-body" role="rowgroup" style={{ height: `${order.length * ROW_HEIGHT}px` }} onMouseDown={keepUnmarked} onClick={(event) => click(event, control)} {...hold}>
        {rows.items.map((item) => {
          const line = order[item.index];
          if (line === undefined) return null;
          const place = { elementId: `${id}-${item.index}`, index: item.index, top: item.start - HEAD_HEIGHT, columns };
          const group = groupOf(line);
          if (group !== null) return <GroupRow key={line} group={group} {...place} />;
          return <Row key={line} id={line} isTree={shown.size > 0} isInside={isInside(control, line, shown)} {...place} />;
        })}
      </div>
      {order.length === 0 ? <Nothing isPristine={isPristine} /> : null}
    </div>
  );
}

function Nothing({ isPristine }: { isPristine: boolean }): VNode {
  const { trans } = usePlace();
  const { table } = useDeck();
  const words = isPristine
    ? trans.__("No jobs yet. Start one with jobdeck.run(…), or %%job above a cell.")
    : table.isComplete.value
      ? trans.__("No job matches.")
      : trans.__("Looking…");
  return <p class="jobdeck-empty jobdeck-grid-none">{words}</p>;
}

/** Shift with a click extends the selection of jobs, not that of text. */
function keepUnmarked(event: MouseEvent): void {
  if (!event.shiftKey) return;
  event.preventDefault();
  (event.currentTarget as Element).closest<HTMLElement>(".jobdeck-grid")?.focus();
}

/** Whether a job's line is below that of its group. */
function isInside(control: DeckControl, id: string, shown: ReadonlyMap<string, readonly string[]>): boolean {
  const group = control.table.row(id)?.group ?? null;
  return group !== null && shown.has(group);
}

function click(event: MouseEvent, control: DeckControl): void {
  const line = (event.target as Element).closest<HTMLElement>("[data-line]")?.dataset.line;
  if (line === undefined) return;
  const { selection } = control;
  const group = groupOf(line);
  const isFold = (event.target as Element).closest(".jobdeck-twist") !== null;
  if (event.shiftKey) selection.extend(line, control.folded.peek().lines, event.ctrlKey || event.metaKey);
  else if (event.ctrlKey || event.metaKey) selection.toggle(line);
  else if (group === null) {
    selection.only(line);
    control.open(line);
  } else {
    if (isFold) selection.go(line);
    else selection.only(line);
    control.setOpen(group, !control.isOpen(group));
  }
}

/** Do what a key asks for. Returns whether it asked for anything. */
function press(event: KeyboardEvent, control: DeckControl, page: number, show: (place: number) => void): boolean {
  const { selection, arrangement } = control;
  const order = control.folded.peek().lines;
  const active = selection.active.peek();
  const at = active === null ? -1 : order.indexOf(active);
  const isCommand = event.ctrlKey || event.metaKey;
  if (isCommand && event.key.toLowerCase() === "a") {
    selection.all(arrangement.order.peek());
    return true;
  }
  if (event.key === "Escape") return escape(control);
  const to = target(event.key, at, order.length, page);
  if (to !== null) {
    const id = order[to];
    if (id === undefined) return false;
    if (event.shiftKey) selection.extend(id, order);
    else selection.go(id);
    show(to);
    return true;
  }
  if (active === null || isCommand) return false;
  if (event.key === " ") {
    if (event.shiftKey) selection.extend(active, order);
    else selection.toggle(active);
    return true;
  }
  return unfold(event.key, active, control, (line) => show(order.indexOf(line)));
}

/** Open a job, or a group; arrow left goes from a job to its group, and closes that. */
function unfold(key: string, line: string, control: DeckControl, show: (line: string) => void): boolean {
  const group = groupOf(line);
  const { shown } = control.folded.peek();
  const around = control.table.row(line)?.group ?? null;
  if (key === "Enter" && group === null) control.open(line);
  else if (key === "Enter" && group !== null) control.setOpen(group, !control.isOpen(group));
  else if (key === "ArrowRight" && group !== null) {
    if (!control.isOpen(group)) control.setOpen(group, true);
  } else if (key === "ArrowLeft" && group !== null) control.setOpen(group, false);
  else if (key === "ArrowLeft" && around !== null && shown.has(around)) {
    control.selection.go(lineOf(around));
    show(lineOf(around));
  } else return false;
  return true;
}

function target(key: string, at: number, count: number, page: number): number | null {
  const within = (place: number): number => Math.min(count - 1, Math.max(0, place));
  switch (key) {
    case "ArrowDown":
      return within(at + 1);
    case "ArrowUp":
      return within(at - 1);
    case "PageDown":
      return within(at + page);
    case "PageUp":
      return within(at - page);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}

/** One thing at a time: the pane first, then the selection. */
function escape(control: DeckControl): boolean {
  if (control.pane.peek()) control.closePane();
  else if (control.selection.ids.peek().size > 0) control.selection.clear();
  else return false;
  return true;
}

/** Rows that come in above do not move those that are being read; another order begins at its top. */
function useAnchor({ ref, scrollTo: show }: VirtualRows, order: readonly string[], control: DeckControl): void {
  const before = useRef<{ order: readonly string[]; wishes: number }>({ order, wishes: control.wishes.peek() });
  useLayoutEffect(() => {
    const element = ref.current;
    const { order: old, wishes } = before.current;
    before.current = { order, wishes: control.wishes.peek() };
    if (!element || old === order || element.scrollTop === 0) return;
    if (wishes !== control.wishes.peek()) {
      element.scrollTop = 0;
      return;
    }
    const place = Math.floor(element.scrollTop / ROW_HEIGHT);
    const top = old[place];
    const now = top === undefined ? -1 : order.indexOf(top);
    if (now >= 0 && now !== place) element.scrollTop += (now - place) * ROW_HEIGHT;
  }, [ref, order, control]);
  const pane = control.pane.value;
  const opened = pane?.kind === "job" ? pane.id : null;
  useEffect(() => {
    // The pane takes its place from the table, perhaps just that of the row that it is about.
    const place = opened === null ? -1 : control.folded.peek().lines.indexOf(opened);
    if (place >= 0) show(place);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `show` is another function each time and does the same
  }, [opened, control]);
  const wish = control.wishes.value;
  useEffect(() => {
    const element = ref.current;
    if (element && wish > 0) element.scrollTop = 0;
  }, [ref, wish]);
}
