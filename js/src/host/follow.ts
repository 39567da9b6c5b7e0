import { batch } from "@preact/signals-core";
import type { JobTable } from "../model/table";
import type { RowsFrame, Trouble } from "../model/wire";
import type { Host, Known } from "./host";
import { onNextPaint, type Schedule } from "./schedule";

/**
 * Keep a table up to date by a host's deck: frames go in once a paint, and what was missed is asked for again.
 *
 * @returns what ends it; the table keeps what it knows and a later call goes on from there.
 */
export function followDeck(host: Host, table: JobTable, schedule: Schedule = onNextPaint): () => void {
  let frames: (RowsFrame | Trouble)[] = [];
  let unschedule = (): void => undefined;
  let isScheduled = false;
  const known = (): Known | null => (table.change < 0 ? null : { storeId: table.storeId, change: table.change });
  const take = (frame: RowsFrame | Trouble): boolean => {
    if (frame.type === "rows") return table.apply(frame);
    table.tell(frame.error);
    return true;
  };
  const flush = (): void => {
    isScheduled = false;
    const taken = frames;
    frames = [];
    const steps = batch(() => taken.map(take));
    if (steps.every(Boolean)) return;
    stop();
    stop = listen();
  };
  const listen = (): (() => void) =>
    host.deck((frame) => {
      frames.push(frame);
      if (isScheduled) return;
      isScheduled = true;
      unschedule = schedule(flush);
    }, known);
  let stop = listen();
  return () => {
    stop();
    unschedule();
    frames = [];
  };
}
