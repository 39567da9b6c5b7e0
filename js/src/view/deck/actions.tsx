import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { DeckRow } from "../../model/row";
import { isOurs } from "../../model/status";
import { count } from "../../model/time";
import type { BulkName } from "../../model/wire";
import { usePlace } from "../env";
import { saveAs } from "../files";
import { useDeck, type DeckControl } from "./control";
import { Confirm } from "./dialog";
import { EditInputs, EditTags } from "./edit";
import { toCsv, toJson } from "./export";
import { MenuItem, Popup } from "./menu";
import { questionFor, type Question } from "./question";

/** What the person has to say before something is done. */
type Asked =
  | { kind: "question"; question: Question; command: BulkName; ids: string[] }
  | { kind: "inputs"; row: DeckRow }
  | { kind: "tags"; rows: readonly DeckRow[] };

type Fits = (row: DeckRow) => boolean;
const UNDER_WAY: Fits = (row) => !row.final;
const ENDED: Fits = (row) => row.final;
const REPEATABLE: Fits = (row) => row.final && isOurs(row);
const ASKED_TO_STOP: Fits = (row) => !row.final && row.cancel_state !== null && isOurs(row);
/** A comparison shows fewer, and says so. */
const MOST_COMPARED = 1_000;

/** What can be done to the selected jobs; where none is, to all that are shown. */
export function Actions(): VNode {
  const { trans } = usePlace();
  const control = useDeck();
  const [asked, ask] = useState<Asked | null>(null);
  const selected = control.selection.ids.value.size;
  const all = control.arrangement.order.value.length;
  const isBusy = control.isBusy.value;
  const order = (command: BulkName, fits: Fits): void => {
    const ids = control.scope().filter(fits).map((row) => row.id);
    const question = questionFor(command, ids.length, selected === 0, trans);
    if (question) ask({ kind: "question", question, command, ids });
    else if (ids.length > 0) void control.bulk({ command, ids });
  };
  const scope = selected > 0 ? trans.__("{n} selected", { n: count(selected) }) : trans.__("All {n} that match", { n: count(all) });
  return (
    <>
      {selected > 0 ? <CancelSelected onClick={() => order("cancel", UNDER_WAY)} /> : null}
      <Popup label={trans.__("Actions")} role="menu" disabled={isBusy || all === 0} title={trans.__("For the selected jobs, or for all that match")}>
        {(close) => (
          <>
            <span class="jobdeck-menu-title jobdeck-quiet" role="presentation">
              {scope}
            </span>
            <Entries close={close} order={order} ask={ask} />
          </>
        )}
      </Popup>
      {asked ? <Dialogs asked={asked} onClose={() => ask(null)} /> : null}
    </>
  );
}

/** Cancels those of the selected jobs that have not ended; says how many are selected where there is none. */
function CancelSelected({ onClick }: { onClick: () => void }): VNode {
  const { trans } = usePlace();
  const control = useDeck();
  const selected = control.selection.ids.value.size;
  // The jobs may end while they are selected.
  void control.table.rows.value;
  const able = control.host.capabilities.commands ? control.scope().filter(UNDER_WAY).length : 0;
  const words = { n: count(able), all: count(selected) };
  if (able === 0) return <span class="jobdeck-quiet jobdeck-said-selected">{trans.__("{all} selected", words)}</span>;
  return (
    <button
      type="button"
      class="jobdeck-button"
      disabled={control.isBusy.value}
      onClick={(event) => {
        // The second half of a double click is no wish of its own.
        if (event.detail <= 1) onClick();
      }}
    >
      {able === selected ? trans.__("Cancel {n} selected", words) : trans.__("Cancel {n} of {all} selected", words)}
    </button>
  );
}

interface EntriesProps {
  close: () => void;
  order: (command: BulkName, fits: Fits) => void;
  ask: (asked: Asked) => void;
}

function Entries({ close, order, ask }: EntriesProps): VNode {
  const { trans } = usePlace();
  const control = useDeck();
  const rows = control.scope();
  const [row] = rows;
  const { commands, live } = control.host.capabilities;
  const entry = (label: string, isAble: boolean, act: () => void): VNode => (
    <MenuItem
      key={label}
      label={label}
      disabled={!isAble}
      onClick={() => {
        close();
        act();
      }}
    />
  );
  const bulk = (label: string, command: BulkName, fits: Fits): VNode => {
    const n = rows.filter(fits).length;
    return entry(n === rows.length ? label : `${label} (${count(n)})`, commands && n > 0, () => order(command, fits));
  };
  const compared = rows.slice(0, MOST_COMPARED).map(({ id }) => id);
  return (
    <>
      {bulk(trans.__("Cancel"), "cancel", UNDER_WAY)}
      {bulk(trans.__("Kill now"), "kill", ASKED_TO_STOP)}
      {bulk(trans.__("Retry"), "retry", REPEATABLE)}
      {entry(trans.__("Edit inputs and retry…"), commands && rows.length === 1 && rows.every(isOurs), () => row && ask({ kind: "inputs", row }))}
      {entry(trans.__("Tags…"), commands, () => ask({ kind: "tags", rows }))}
      {bulk(trans.__("Delete…"), "delete", ENDED)}
      <hr />
      {entry(trans.__("Compare plots"), live && rows.length > 1, () => control.compare(compared))}
      {entry(trans.__("Export as CSV"), true, () => saveAs("jobs.csv", toCsv(rows), "text/csv"))}
      {entry(trans.__("Export as JSON"), true, () => saveAs("jobs.json", toJson(rows), "application/json"))}
    </>
  );
}

function Dialogs({ asked, onClose }: { asked: Asked; onClose: () => void }): VNode {
  const control = useDeck();
  if (asked.kind === "question") {
    const { command, ids, question } = asked;
    return <Confirm {...question} onConfirm={() => void control.bulk({ command, ids })} onClose={onClose} />;
  }
  if (asked.kind === "tags") {
    const ids = asked.rows.map(({ id }) => id);
    return <EditTags rows={asked.rows} onSave={(add, remove) => saveTags(control, ids, add, remove)} onClose={onClose} />;
  }
  return <EditInputs row={asked.row} onRetry={(inputs) => control.retry(asked.row.id, inputs)} onClose={onClose} />;
}

async function saveTags(control: DeckControl, ids: string[], add: string[], remove: string[]): Promise<string | null> {
  if (add.length + remove.length === 0) return null;
  await control.bulk({ command: "tag", ids, add, remove });
  return control.result.peek()?.error ?? null;
}
