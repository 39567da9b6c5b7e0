import type { VNode } from "preact";
import type { Standing } from "../model/groups";
import { count } from "../model/time";
import type { Translation } from "../model/translation";
import { usePlace } from "./env";
import { Badge } from "./parts";

/** The order of the parts of a bar: what is over first. */
const PARTS = ["DONE", "ERROR", "CANCELLED", "RUNNING"];

/** What waits here for its turn, and no other system's word for how a job stands. */
const WAITING = ["QUEUED", "VALIDATING", "INITIALIZING"];

/** The status that says most about a group: what is under way, then what went wrong. */
export function statusOf({ tallies, final, total, failed, started }: Standing): string {
  const has = (status: string): boolean => tallies.some((tally) => tally.status === status);
  if (has("RUNNING")) return "RUNNING";
  const open = tallies.find(({ status }) => !["DONE", "ERROR", "CANCELLED"].includes(status))?.status ?? (final < total ? "QUEUED" : null);
  // Of short jobs, one may have ended and the next not begun at any time that somebody looks.
  if (open !== null) return started !== null && WAITING.includes(open) ? "RUNNING" : open;
  return failed > 0 ? "ERROR" : has("CANCELLED") ? "CANCELLED" : "DONE";
}

/** A group's status as a word and a shape. */
export function StandingBadge({ standing, isQuiet = false }: { standing: Standing; isQuiet?: boolean }): VNode {
  const status = statusOf(standing);
  const final = standing.ended !== null;
  return <Badge job={{ status, final, cancel_state: null }} isQuiet={isQuiet} />;
}

/** `2 failed, 12 running, 286 done`. */
export function standingWords({ tallies, jobs, total, ended }: Standing, trans: Translation): string {
  const bad = tallies.filter(({ status }) => status === "ERROR");
  const words = [...bad, ...tallies.filter(({ status }) => status !== "ERROR")].map(({ status, word, count: n }) => {
    const name = status === "ERROR" ? trans.__("failed") : trans.gettext(word).toLowerCase();
    return trans.__("{n} {status}", { n: count(n), status: name });
  });
  const missing = total - jobs;
  return [...words, ...(missing > 0 && ended === null ? [trans.__("{n} to come", { n: count(missing) })] : [])].join(", ");
}

/** How far a group is: a part for each status of those that are over or under way. */
export function MixedBar({ standing, isTall = false }: { standing: Standing; isTall?: boolean }): VNode {
  const { trans } = usePlace();
  const { tallies, total, final } = standing;
  const of = (status: string): number => tallies.find((tally) => tally.status === status)?.count ?? 0;
  const percent = total === 0 ? 0 : Math.floor((100 * final) / total);
  return (
    <span class="jobdeck-share">
      <span
        class={`jobdeck-mixed${isTall ? " jobdeck-is-tall" : ""}`}
        role="progressbar"
        aria-label={trans.__("Progress")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={standingWords(standing, trans)}
      >
        {PARTS.map((status) => {
          const n = of(status);
          return n === 0 ? null : <span key={status} class={`jobdeck-part-${status.toLowerCase()}`} style={{ flexGrow: n }} />;
        })}
        <span style={{ flexGrow: Math.max(0, total - PARTS.reduce((sum, status) => sum + of(status), 0)) }} />
      </span>
      {isTall ? null : (
        <span class="jobdeck-number jobdeck-quiet">{final < total ? `${percent}%` : null}</span>
      )}
    </span>
  );
}
