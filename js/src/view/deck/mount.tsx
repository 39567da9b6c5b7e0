import { render, type VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { useComputed, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import type { Host } from "../../host/host";
import type { JobTable } from "../../model/table";
import { count } from "../../model/time";
import { translator, type Translation } from "../../model/translation";
import { EnvContext, rootId, ticker, usePlace } from "../env";
import { guardKeys } from "../keys";
import { Actions } from "./actions";
import { Chips } from "./chips";
import { ColumnsMenu } from "./columns-menu";
import { DeckContext, DeckControl, useDeck } from "./control";
import { PaneView } from "./pane";
import { BulkReport } from "./report";
import { Lanes } from "./lanes";
import { Search } from "./search";
import type { DeckState } from "./state";
import { Table } from "./table";

export interface DeckProps {
  host: Host;
  /** Kept up to date by whoever owns it (see `followDeck`). */
  table: JobTable;
  trans?: Translation;
  /** What was kept of the last time; anything else counts as nothing. */
  state?: DeckState | null;
  onState?: (state: DeckState) => void;
  /** A quiet line below, such as where this state comes from. */
  note?: ReadonlySignal<string | null>;
}

/** Lines for which a deck in a cell makes room; beyond, it scrolls. */
const MOST_LINES = 12;

/** Show all jobs of a store in an element, which gives the height. Returns what takes them out again. */
export function mountDeck(element: Element, props: DeckProps): () => void {
  const unguard = guardKeys();
  render(<Root {...props} />, element);
  return () => {
    render(null, element);
    unguard();
  };
}

function Root({ host, table, trans, state, onState, note }: DeckProps): VNode {
  const place = useMemo(() => ({ trans: trans ?? translator(), idPrefix: rootId(), tick: ticker() }), [trans]);
  const control = useMemo(() => new DeckControl(host, table, state, (now) => onState?.(now)), [host, table, state, onState]);
  useEffect(() => () => control.dispose(), [control]);
  return (
    <EnvContext.Provider value={place}>
      <DeckContext.Provider value={control}>
        <DeckView note={note} />
      </DeckContext.Provider>
    </EnvContext.Provider>
  );
}

function DeckView({ note }: { note: ReadonlySignal<string | null> | undefined }): VNode {
  const { trans, tick } = usePlace();
  const control = useDeck();
  const pane = control.pane.value;
  const lines = useComputed(() => Math.min(MOST_LINES, control.folded.value.lines.length)).value;
  useSignalEffect(() => {
    void tick.value;
    control.arrangement.tick();
  });
  return (
    <div class="jobdeck-root jobdeck-deck" style={{ "--jobdeck-lines": lines }}>
      <div class="jobdeck-toolbar">
        <Chips />
        <Search />
        <span class="jobdeck-tools">
          <Actions />
          <button
            type="button"
            class="jobdeck-button"
            aria-pressed={control.hasTimeline.value}
            onClick={() => (control.hasTimeline.value = !control.hasTimeline.peek())}
          >
            {trans.__("Timeline")}
          </button>
          {control.table.groups.value.size > 0 ? (
            <button
              type="button"
              class="jobdeck-button"
              aria-pressed={control.isFolding.value}
              title={trans.__("A set of jobs is one line, with its jobs below it")}
              onClick={() => (control.isFolding.value = !control.isFolding.peek())}
            >
              {trans.__("Groups")}
            </button>
          ) : null}
          <ColumnsMenu />
        </span>
      </div>
      <BulkReport />
      <div class={`jobdeck-sheet${pane ? " jobdeck-has-pane" : ""}`}>
        <Table />
        {pane ? <PaneView pane={pane} /> : null}
      </div>
      {control.hasTimeline.value ? <Lanes /> : null}
      <div class="jobdeck-foot jobdeck-quiet">
        <Tally />
        {note?.value ? <span>{note.value}</span> : null}
      </div>
      <Trouble />
    </div>
  );
}

/** How many jobs are shown, and what else there is to know about them. */
function Tally(): VNode {
  const { trans } = usePlace();
  const { arrangement, table, selection } = useDeck();
  const shown = arrangement.order.value.length;
  const total = table.total.value;
  const loaded = table.rows.value.length;
  const selected = selection.ids.value.size;
  return (
    <>
      <span role="status" aria-live="polite">
        {/* The chips tell already how many there are in all. */}
        {shown < loaded ? trans.__("{n} of {total} jobs", { n: count(shown), total: count(total) }) : null}
      </span>
      <span class="jobdeck-aside" aria-live="polite">
        {/* To be read out; on the screen the button that acts on them says so. */}
        {selected > 0 ? trans.__("{n} selected", { n: count(selected) }) : null}
      </span>
      {loaded < total && !table.isComplete.value ? <span>{trans.__("{n} loaded…", { n: count(loaded) })}</span> : null}
      {arrangement.isWaiting.value ? <span>{trans.__("A new order waits until the pointer rests.")}</span> : null}
    </>
  );
}

function Trouble(): VNode | null {
  const { table } = useDeck();
  const { trans } = usePlace();
  const trouble = table.trouble.value;
  return trouble ? (
    <p class="jobdeck-note jobdeck-trouble" role="status">
      <bdi>{trans.gettext(trouble).slice(0, 1_000)}</bdi>
    </p>
  ) : null;
}
