import type { Standing } from "./groups";
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

/** A job, or a group as one thing. */
export type CurrentItem = { id: string; row: DeckRow } | { id: string; standing: Standing };

export interface CurrentItems {
  running: readonly CurrentItem[];
  waiting: readonly CurrentItem[];
  ended: readonly CurrentItem[];
}

/**
 * The same with the jobs of each group as one.
 *
 * @param standingOf - How a group stands.
 */
export function currentItems(
  rows: readonly DeckRow[],
  most: number,
  isWanted: (row: DeckRow) => boolean,
  standingOf: (group: string) => Standing,
): CurrentItems {
  const groups = new Set<string>();
  for (const row of rows) if (row.group !== null && !groups.has(row.group) && isWanted(row)) groups.add(row.group);
  const jobs = currentJobs(rows, most, (row) => row.group === null && isWanted(row));
  const items = (some: readonly DeckRow[]): CurrentItem[] => some.map((row) => ({ id: row.id, row }));
  const [running, waiting, ended] = [items(jobs.running), items(jobs.waiting), items(jobs.ended)];
  for (const group of groups) {
    const standing = standingOf(group);
    const item = { id: group, standing };
    if (standing.ended !== null) ended.push(item);
    else if (standing.started === null) waiting.unshift(item);
    else running.push(item);
  }
  const began = (item: CurrentItem): number => ("row" in item ? item.row.started : item.standing.started) ?? 0;
  const over = (item: CurrentItem): number => ("row" in item ? endOf(item.row) : (item.standing.ended ?? 0));
  return {
    running: running.sort((a, b) => began(b) - began(a)),
    waiting,
    ended: ended.sort((a, b) => over(b) - over(a)).slice(0, most),
  };
}
