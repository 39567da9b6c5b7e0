import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { DeckRow } from "../../model/row";
import { count } from "../../model/time";
import type { BulkName } from "../../model/wire";
import { usePlace, type Translate } from "../env";
import { useDeck } from "./control";
import { Confirm } from "./dialog";
import { MenuItem, Popup } from "./menu";

/** More jobs than this are not cancelled or repeated without being asked whether that is meant. */
const MANY = 20;

interface Ask {
  title: string;
  text: string;
  action: string;
  danger: boolean;
  command: BulkName;
  ids: string[];
}

/** What can be done to the selected jobs; where none is, to all that are shown. */
export function Actions(): VNode | null {
  const { t } = usePlace();
  const control = useDeck();
  const [ask, setAsk] = useState<Ask | null>(null);
  // The scope follows the selection and the order; what the rows are it reads when it is needed.
  const selected = control.selection.ids.value.size;
  const all = control.arrangement.order.value.length;
  if (!control.host.capabilities.commands) return null;
  const isBusy = control.isBusy.value;
  const ids = (fits: (row: DeckRow) => boolean): string[] => control.scope().filter(fits).map((row) => row.id);
  const order = (command: BulkName, fits: (row: DeckRow) => boolean): void => {
    const about = ids(fits);
    const question = questionFor(command, about, selected === 0, t);
    if (question) setAsk(question);
    else void control.bulk({ command, ids: about });
  };
  return (
    <>
      {selected > 0 ? (
        <button
          type="button"
          class="jobdeck-button"
          disabled={isBusy}
          // The second half of a double click is no wish of its own.
          onClick={(event) => event.detail <= 1 && order("cancel", (row) => !row.final)}
        >
          {t("Cancel {n} selected", { n: count(selected) })}
        </button>
      ) : null}
      <Popup label={t("Actions")} role="menu" disabled={isBusy || all === 0} title={t("Actions on the selected jobs, or on all that match")}>
        {(close) => (
          <>
            <span class="jobdeck-menu-title jobdeck-quiet" role="presentation">
              {selected > 0 ? t("{n} selected", { n: count(selected) }) : t("All {n} that match", { n: count(all) })}
            </span>
            <Entries close={close} order={order} rows={control.scope()} />
          </>
        )}
      </Popup>
      {ask ? <Confirm {...ask} onConfirm={() => void control.bulk({ command: ask.command, ids: ask.ids })} onClose={() => setAsk(null)} /> : null}
    </>
  );
}

interface EntriesProps {
  close: () => void;
  order: (command: BulkName, fits: (row: DeckRow) => boolean) => void;
  rows: readonly DeckRow[];
}

function Entries({ close, order, rows }: EntriesProps): VNode {
  const { t } = usePlace();
  const entry = (label: string, command: BulkName, fits: (row: DeckRow) => boolean): VNode => {
    const n = rows.filter(fits).length;
    return (
      <MenuItem
        key={label}
        label={`${label} (${count(n)})`}
        disabled={n === 0}
        onClick={() => {
          close();
          order(command, fits);
        }}
      />
    );
  };
  return (
    <>
      {entry(t("Cancel"), "cancel", (row) => !row.final)}
      {entry(t("Kill now"), "kill", (row) => !row.final && row.cancel_state !== null)}
      {entry(t("Retry"), "retry", (row) => row.final)}
      {entry(t("Delete…"), "delete", (row) => row.final)}
    </>
  );
}

/** What is asked before something is done to these jobs; null where it is done at once. */
function questionFor(command: BulkName, ids: string[], isAll: boolean, t: Translate): Ask | null {
  const n = count(ids.length);
  if (command === "delete") {
    const title = t("Delete {n} jobs?", { n });
    const text = t("Their results, messages and output are deleted, too. This cannot be undone.");
    return { title, text, action: t("Delete {n}", { n }), danger: true, command, ids };
  }
  if (!isAll && ids.length <= MANY) return null;
  const what: Partial<Record<BulkName, [string, string, string]>> = {
    cancel: [t("Cancel {n} jobs?", { n }), t("Those that run are asked to stop; those that wait do not start."), t("Cancel {n}", { n })],
    kill: [t("Kill {n} jobs?", { n }), t("They end at once, without cleaning up."), t("Kill {n}", { n })],
    retry: [t("Run {n} jobs again?", { n }), t("Each starts as a new job with the same inputs."), t("Run {n}", { n })],
  };
  const words = what[command];
  return words ? { title: words[0], text: words[1], action: words[2], danger: command === "kill", command, ids } : null;
}
