/** The names that a query knows, and what kind of thing each of them is; `_query/fields.py` has the same. */
import { marking as trans } from "../translation";

export type Kind = "status" | "word" | "text" | "id" | "error" | "input" | "number" | "duration" | "size" | "time";

export interface Field {
  kind: Kind;
  /** What it is, for people; not yet translated. */
  hint: string;
}

export const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ["status", { kind: "status", hint: trans.__("running, done, failed, waiting, active, ended …") }],
  ["tag", { kind: "word", hint: trans.__("one of its tags: tag:sweep, tag:run-*") }],
  ["name", { kind: "text", hint: trans.__("part of its name, or a pattern: name:vqe*") }],
  ["id", { kind: "id", hint: trans.__("its id, or how it begins or ends") }],
  ["engine", { kind: "word", hint: trans.__("what runs it: engine:dask") }],
  ["backend", { kind: "word", hint: trans.__("what it runs on") }],
  ["error", { kind: "error", hint: trans.__("why it failed: error:memory, error:ValueError") }],
  ["result", { kind: "text", hint: trans.__("part of its result's text") }],
  ["latest", { kind: "text", hint: trans.__("part of its newest interim result") }],
  ["input", { kind: "input", hint: trans.__("an input: input:sto-3g, input.r:0.7, input.r>1") }],
  ["progress", { kind: "number", hint: trans.__("in percent: progress>=50") }],
  ["messages", { kind: "number", hint: trans.__("how many interim results: messages>100") }],
  ["exit", { kind: "number", hint: trans.__("its process's exit code: exit!=0") }],
  ["created", { kind: "time", hint: trans.__("created:today, created:2025-11-20") }],
  ["started", { kind: "time", hint: trans.__("started:<1h is less than an hour ago") }],
  ["ended", { kind: "time", hint: trans.__("ended:yesterday, ended:>2d") }],
  ["took", { kind: "duration", hint: trans.__("how long it ran: took:>5m") }],
  ["memory", { kind: "size", hint: trans.__("the most that it used: memory:>1GB") }],
  ["cpu", { kind: "duration", hint: trans.__("CPU time that it used: cpu:>1h") }],
  ["cancel", { kind: "word", hint: trans.__("what became of a cancel: requested, stopping, refused") }],
  ["retry_of", { kind: "id", hint: trans.__("the job that it is a retry of") }],
  ["group", { kind: "word", hint: trans.__("the set of jobs that it belongs to") }],
]);

/** Before an input's name. */
export const INPUT = "input.";
/** Before a number's name that is a field's, too. */
export const VALUE = "value.";

export const ACTIVE = "active";
/** Words for statuses. `active` is every status that is not final, those of foreign systems included. */
export const STATUS_WORDS: ReadonlyMap<string, readonly string[]> = new Map([
  ...["INITIALIZING", "QUEUED", "VALIDATING", "RUNNING", "CANCELLED", "DONE", "ERROR"].map(
    (status): [string, string[]] => [status.toLowerCase(), [status]],
  ),
  ["failed", ["ERROR"]],
  ["canceled", ["CANCELLED"]],
  ["waiting", ["QUEUED"]],
  [ACTIVE, ["INITIALIZING", "QUEUED", "VALIDATING", "RUNNING"]],
  ["ended", ["CANCELLED", "DONE", "ERROR"]],
]);

export const ERROR_KINDS = ["exception", "exit", "signal", "memory", "timeout", "lost", "submit"];
export const CANCEL_STATES = ["requested", "stopping", "refused", "unsupported"];

/** The field that was perhaps meant, at most two slips away. */
export function nearest(name: string): string | null {
  const [best, fewest] = nearestOf(name, FIELDS.keys());
  return fewest <= Math.min(2, best.length - 2) ? best : null;
}

/**
 * The word for a status that was perhaps meant: a slip away, or two of a longer one. Other systems have short words of their
 * own, which are not to be taken for it.
 */
export function nearestStatus(word: string): string | null {
  const [best, fewest] = nearestOf(word, STATUS_WORDS.keys());
  return fewest > 0 && fewest <= Math.min(2, Math.floor(best.length / 3)) ? best : null;
}

function nearestOf(word: string, known: Iterable<string>): [best: string, slips: number] {
  const lower = word.toLowerCase().slice(0, 20);
  let [best, fewest] = ["", Infinity];
  for (const each of known) {
    const count = slips(lower, each);
    if (count < fewest) [best, fewest] = [each, count];
  }
  return [best, fewest];
}

/** Characters that were typed wrong, left out, typed twice, or swapped with the next. */
function slips(one: string, other: string): number {
  const rows = [Array.from({ length: other.length + 1 }, (_, j) => j)];
  const at = (cells: readonly number[] | undefined, j: number): number => cells?.[j] ?? Infinity;
  for (let i = 1; i <= one.length; i += 1) {
    const [last, before, row] = [rows[i - 2], rows[i - 1], [i]];
    rows.push(row);
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1];
      let cost = Math.min(at(before, j) + 1, at(row, j - 1) + 1, at(before, j - 1) + (isSame ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (isSwapped) cost = Math.min(cost, at(last, j - 2) + 1);
      row.push(cost);
    }
  }
  return at(rows.at(-1), other.length);
}
