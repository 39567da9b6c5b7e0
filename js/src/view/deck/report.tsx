import type { VNode } from "preact";
import { count } from "../../model/time";
import { usePlace } from "../env";
import { outcomeWords } from "./bulk";
import { useDeck } from "./control";

const MOST_REASONS = 10;
const MOST_NAMES = 3;
const LONGEST = 300;

/** What became of the last order: a line, and below it why some were refused. */
export function BulkReport(): VNode {
  const { trans } = usePlace();
  const control = useDeck();
  const result = control.result.value;
  const words = result ? outcomeWords(result.counts, trans) : "";
  return (
    <div class="jobdeck-report" role="status" aria-live="polite">
      {control.isBusy.value ? <p>{trans.__("Working…")}</p> : null}
      {result ? (
        <>
          <p>
            <bdi>{[words, trans.gettext(result.error ?? "").slice(0, 1_000)].filter(Boolean).join(". ") || trans.__("Nothing had to be done.")}</bdi>
            <button type="button" class="jobdeck-button" aria-label={trans.__("Dismiss")} onClick={() => (control.result.value = null)}>
              ✕
            </button>
          </p>
          {result.reasons.length > 0 ? (
            <ul>
              {result.reasons.slice(0, MOST_REASONS).map(({ sentence, names }) => (
                <li key={sentence}>
                  <b>
                    <bdi>{names.slice(0, MOST_NAMES).map((name) => name.slice(0, 60)).join(", ")}</bdi>
                    {names.length > MOST_NAMES ? ` ${trans.__("and {n} more", { n: count(names.length - MOST_NAMES) })}` : ""}
                  </b>
                  : <bdi>{sentence.slice(0, LONGEST)}</bdi>
                </li>
              ))}
              {result.reasons.length > MOST_REASONS ? (
                <li>{trans.__("{n} more reasons", { n: count(result.reasons.length - MOST_REASONS) })}</li>
              ) : null}
            </ul>
          ) : null}
        </>
      ) : null}
    </div>
  );
}
