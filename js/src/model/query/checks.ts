/** The checks that conditions are made of, each about one thing that a job has. */
import type { DeckRow } from "../row";
import { elapsed, share } from "../time";
import { ACTIVE, STATUS_WORDS } from "./fields";
import { isPattern, whole, type TextTest } from "./patterns";
import { daySpan, type Moment, type Span } from "./quantities";
import type { Operator, Word } from "./syntax";

export type Check = (row: DeckRow, now: number) => boolean;
export type Measure = (row: DeckRow, now: number) => number | null;
export type Order = "<" | "<=" | ">" | ">=";

export const COMPARED: Readonly<Record<Order, (a: number, b: number) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

export function isOrder(operator: Operator): operator is Order {
  return operator in COMPARED;
}

export const MEASURES: ReadonlyMap<string, Measure> = new Map<string, Measure>([
  ["progress", percent],
  ["messages", (row) => row.interim_count],
  ["exit", (row) => row.exit_code],
  ["took", elapsed],
  ["cpu", (row) => row.cpu_time],
  ["memory", (row) => row.peak_memory],
  ["created", (row) => row.created],
  ["started", (row) => row.started],
  ["ended", (row) => row.ended],
]);

export const TEXTS: ReadonlyMap<string, (row: DeckRow) => string | null> = new Map<string, (row: DeckRow) => string | null>([
  ["name", (row) => row.name],
  ["engine", (row) => row.engine],
  ["backend", (row) => row.backend],
  ["result", (row) => row.result],
  ["latest", (row) => row.latest || null],
  ["cancel", (row) => row.cancel_state],
  ["group", (row) => row.group],
  ["id", (row) => row.id],
  ["retry_of", (row) => row.retry_of],
]);

function percent(row: DeckRow): number | null {
  const done = share(row);
  return done === null ? null : done * 100;
}

export function all(checks: readonly Check[]): Check {
  return (row, now) => checks.every((check) => check(row, now));
}

export function any(checks: readonly Check[]): Check {
  const [only] = checks;
  if (only && checks.length === 1) return only;
  return (row, now) => checks.some((check) => check(row, now));
}

export function opposite(check: Check): Check {
  return (row, now) => !check(row, now);
}

/** Any of some statuses: those that status words mean, and those of foreign systems. */
export function hasStatus(words: readonly Word[]): Check {
  const names = new Set<string>();
  const others: TextTest[] = [];
  let takesActive = false;
  for (const word of words) {
    const text = word.text.toLowerCase();
    const statuses = STATUS_WORDS.get(text);
    if (text === ACTIVE) takesActive = true;
    if (statuses) statuses.forEach((status) => names.add(status));
    else others.push(whole(word));
  }
  return (row) =>
    names.has(row.status) ||
    (takesActive && !row.final) ||
    (others.length > 0 && others.some((other) => other(row.status.toLowerCase())));
}

/** A test of whether an id begins or ends with a word, or fits it as a pattern. */
export function abbreviation(word: Word): TextTest {
  if (isPattern(word)) return whole(word);
  const wanted = word.text.toLowerCase();
  return (id) => {
    const own = id.slice(id.indexOf("-") + 1);
    return id.startsWith(wanted) || own.startsWith(wanted) || own.endsWith(wanted);
  };
}

/** The number of this name, in upper or lower case. */
export function namedValue(name: string): Measure {
  const wanted = name.toLowerCase();
  return (row) => named(row.values, name, wanted) ?? null;
}

/** The text of the input of this name, in upper or lower case. */
export function namedInput(name: string): (row: DeckRow) => string | null {
  const wanted = name.toLowerCase();
  return (row) => named(row.inputs, name, wanted) ?? null;
}

function named<T>(entries: Readonly<Record<string, T>>, name: string, wanted: string): T | undefined {
  if (Object.hasOwn(entries, name)) return entries[name];
  for (const other in entries) {
    if (other.length === wanted.length && other.toLowerCase() === wanted) return entries[other];
  }
  return undefined;
}

/** An input's text without the quotes that Python writes around a string. */
export function unquoted(text: string): string {
  return /^(["']).*\1$/s.test(text) && text.length >= 2 ? text.slice(1, -1) : text;
}

/** A check of a time at some present time. `started:<1h` is less than an hour ago. */
export function timeCheck(moment: Moment, operator: Operator): (time: number, now: number) => boolean {
  if (moment.kind === "age") {
    const compare = COMPARED[isOrder(operator) ? operator : "<"];
    return (time, now) => compare(now - time, moment.seconds);
  }
  if (moment.kind === "span") return (time) => isIn(time, moment, operator);
  let span: Span = { start: 0, end: 0 };
  let known = NaN;
  return (time, now) => {
    if (now !== known) [known, span] = [now, daySpan(moment.ago, now)];
    return isIn(time, span, operator);
  };
}

function isIn(time: number, span: Span, operator: Operator): boolean {
  switch (operator) {
    case "<":
      return time < span.start;
    case "<=":
      return time < span.end;
    case ">":
      return time >= span.end;
    case ">=":
      return time >= span.start;
    default:
      return span.start <= time && time < span.end;
  }
}
