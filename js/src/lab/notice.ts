import { foremost, isOurs, tally } from "../model/status";
import { count, elapsed, took } from "../model/time";
import type { DeckRow } from "../model/table";
import type { GroupInfo } from "../model/wire";
import type { Translation } from "../model/translation";
import { mishapWords } from "../view/standing";

const LONGEST_NAME = 80;

/** What a notification says of some jobs that have ended. */
export interface Notice {
  text: string;
  tone: "success" | "warning" | "error";
  failed: readonly DeckRow[];
}

/** The tone in which the end of some jobs is told, by the status that says most about them. */
function toneOf(ended: readonly DeckRow[]): Notice["tone"] {
  const status = foremost(tally(ended));
  return status === "ERROR" ? "error" : status === "DONE" ? "success" : "warning";
}

/** `vqe-h2 is done after 0:42`, `12 jobs done, 1 failed`. */
export function notice(ended: readonly DeckRow[], trans: Translation): Notice {
  const failed = ended.filter((row) => row.status === "ERROR");
  const [only] = ended;
  const text =
    ended.length === 1 && only ? one(only, trans)
    : failed.length === 0 ? trans.__("{count} jobs done", { count: ended.length })
    : failed.length === ended.length ? trans.__("{count} jobs failed", { count: ended.length })
    : ended.length - failed.length === 1 ? trans.__("1 job done, {failed} failed", { failed: failed.length })
    : trans.__("{done} jobs done, {failed} failed", { done: ended.length - failed.length, failed: failed.length });
  return { text, tone: toneOf(ended), failed };
}

/** `Set vqe: 290 done, 2 failed, 8 cancelled`. What is to be run again are those that can be. */
export function groupNotice(group: GroupInfo, ended: readonly DeckRow[], trans: Translation): Notice {
  const of = (status: string): DeckRow[] => ended.filter((row) => row.status === status);
  const [done, failed, cancelled] = [of("DONE"), of("ERROR"), of("CANCELLED")];
  const counts = [
    ...(done.length > 0 ? [trans.__("{n} done", { n: count(done.length) })] : []),
    ...mishapWords({ failed: failed.length, cancelled: cancelled.length }, trans),
  ];
  const text = trans.__("Set {name}: {counts}", { name: cut(group.name), counts: counts.join(", ") });
  return { text, tone: toneOf(ended), failed };
}

/** Those that jobdeck can run again. */
export function repeatable(rows: readonly DeckRow[]): DeckRow[] {
  return rows.filter(isOurs);
}

function cut(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}

function one(row: DeckRow, trans: Translation): string {
  const name = cut(row.name);
  const time = took(elapsed(row, row.ended ?? 0) ?? 0);
  if (row.status === "DONE") return trans.__("{name} is done after {time}", { name, time });
  if (row.status !== "ERROR") return trans.__("{name} has ended: {status}", { name, status: row.status });
  const reason = row.error?.text.split("\n", 1)[0];
  return reason ? trans.__("{name} failed after {time}: {reason}", { name, time, reason }) : trans.__("{name} failed after {time}", { name, time });
}
