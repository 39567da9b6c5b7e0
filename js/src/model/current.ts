import type { DeckRow } from "./table";

/** The jobs of a panel: those that run, those that wait, in the order in which they will run, and those that ended last. */
export interface CurrentJobs {
  running: readonly DeckRow[];
  waiting: readonly DeckRow[];
  ended: readonly DeckRow[];
}

function endOf(row: DeckRow): number {
  return row.ended ?? row.created;
}

/**
 * Pick a panel's jobs.
 *
 * @param rows - All rows, newest first.
 * @param most - How many of the ended ones.
 * @param isWanted - Which of all.
 */
export function currentJobs(rows: readonly DeckRow[], most: number, isWanted: (row: DeckRow) => boolean = () => true): CurrentJobs {
  const running: DeckRow[] = [];
  const waiting: DeckRow[] = [];
  const ended: DeckRow[] = [];
  for (const row of rows) {
    if (!row.final) {
      if (isWanted(row)) (row.started === null ? waiting : running).push(row);
      continue;
    }
    const last = ended[most - 1];
    if (most === 0 || (last && endOf(row) <= endOf(last)) || !isWanted(row)) continue;
    const place = ended.findIndex((other) => endOf(other) < endOf(row));
    ended.splice(place < 0 ? ended.length : place, 0, row);
    ended.length = Math.min(ended.length, most);
  }
  return { running: running.sort((a, b) => (b.started ?? 0) - (a.started ?? 0)), waiting: waiting.reverse(), ended };
}
