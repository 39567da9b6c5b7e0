import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { effect } from "@preact/signals";
import type { DeckRow } from "../../model/row";
import { useDeck } from "./control";
import { Timeline } from "./timeline";

/** Milliseconds between two layouts of the lanes while jobs come and go. */
const PACE = 500;

/** The timeline of the jobs that the table shows. */
export function Lanes(): VNode {
  const control = useDeck();
  const rows = useRows();
  return (
    <Timeline
      rows={rows}
      now={() => control.table.now()}
      selected={control.selection.ids.value}
      onOpen={(id) => {
        control.selection.only(id);
        control.open(id);
      }}
    />
  );
}

/** The rows that are shown, now and then: lanes for ten thousand jobs are not laid out at every message. */
function useRows(): readonly DeckRow[] {
  const { arrangement, table } = useDeck();
  const [rows, setRows] = useState<readonly DeckRow[]>(() => arrangement.rows());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = effect(() => {
      void arrangement.order.value;
      void table.rows.value;
      timer ??= setTimeout(() => {
        timer = undefined;
        setRows(arrangement.rows());
      }, PACE);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [arrangement, table]);
  return rows;
}
