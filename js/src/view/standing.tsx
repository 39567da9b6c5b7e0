import type { VNode } from "preact";
import { statusOf, type Standing } from "../model/groups";
import { count } from "../model/time";
import type { Translation } from "../model/translation";
import { usePlace } from "./env";
import { Badge } from "./parts";

/** The order of the parts of a bar: what is over first. */
const PARTS = ["DONE", "ERROR", "CANCELLED", "RUNNING"];

/** A group's status as a word and a shape. */
export function StandingBadge({ standing, isQuiet = false }: { standing: Standing; isQuiet?: boolean }): VNode {
  const status = statusOf(standing);
  const final = standing.ended !== null;
  return <Badge job={{ status, final, cancel_state: null }} isQuiet={isQuiet} />;
}

/** What did not go well, as `2 failed` and `7 cancelled`. */
export function mishapWords({ failed, cancelled }: Pick<Standing, "failed" | "cancelled">, trans: Translation): string[] {
  return [
    ...(failed > 0 ? [trans.__("{n} failed", { n: count(failed) })] : []),
    ...(cancelled > 0 ? [trans.__("{n} cancelled", { n: count(cancelled) })] : []),
  ];
}

/** `2 failed, 7 cancelled, 12 running, 286 done`. */
export function standingWords(standing: Standing, trans: Translation): string {
  const { tallies, jobs, total, ended } = standing;
  const others = tallies.filter(({ status }) => status !== "ERROR" && status !== "CANCELLED");
  const words = [
    ...mishapWords(standing, trans),
    ...others.map(({ word, count: n }) => trans.__("{n} {status}", { n: count(n), status: trans.gettext(word).toLowerCase() })),
  ];
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
