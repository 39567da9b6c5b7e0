/** What may stand at a place of a query; `_query/completion.py` does the same. */
import { marking as trans } from "../translation";
import { CANCEL_STATES, ERROR_KINDS, FIELDS, nearestStatus, STATUS_WORDS, type Field } from "./fields";
import { endsWord, isComparison, isQuote, isSpace } from "./scanner";

/** The words that jobs have, for completion. */
export interface Vocabulary {
  statuses: readonly string[];
  tags: readonly string[];
  names: readonly string[];
  engines: readonly string[];
  backends: readonly string[];
  values: readonly string[];
}

export interface Option {
  text: string;
  /** What it is, not yet translated; empty where it says so itself. */
  hint: string;
}

/** Options to take the place of the text from `start` to `end`. */
export interface Completion {
  start: number;
  end: number;
  options: Option[];
}

const MOST_OPTIONS = 50;

const TIMES = ["<1h", "<1d", "<1w", ">1h", ">1d", "today", "yesterday"];
const AMOUNTS: ReadonlyMap<string, readonly string[]> = new Map([
  ["took", [">1m", ">10m", ">1h", "<1m"]],
  ["cpu", [">1m", ">10m", ">1h", "<1m"]],
  ["memory", [">100MB", ">1GB", ">10GB"]],
  ["progress", [">=50", ">=90", "<10"]],
]);

/** Say what may stand where the cursor is. */
export function completeQuery(text: string, cursor: number, vocabulary: Vocabulary): Completion {
  const place = placeOf(text, cursor);
  const wanted = text.slice(place.isQuoted ? place.start + 1 : place.start, cursor).toLowerCase();
  const field = place.name === null ? undefined : FIELDS.get(place.name.toLowerCase());
  const offered = place.name === null ? words(wanted, vocabulary) : field ? values(place.name.toLowerCase(), field, vocabulary) : [];
  const typed = text.slice(place.start, place.end);
  const options: Option[] = [];
  const seen = new Set([typed]);
  for (const { text: option, hint, plain } of offered) {
    if (options.length === MOST_OPTIONS) break;
    if (seen.has(option) || !plain.toLowerCase().startsWith(wanted)) continue;
    seen.add(option);
    options.push({ text: option, hint });
  }
  return { start: place.start, end: place.end, options };
}

/** The word at a cursor: of which field it is a value, and where it stands. */
interface Place {
  name: string | null;
  isQuoted: boolean;
  start: number;
  end: number;
}

function placeOf(text: string, cursor: number): Place {
  let name: string | null = null;
  let quote = "";
  let start = 0;
  let at = 0;
  while (at < cursor) {
    const char = text.charAt(at);
    if (quote !== "") {
      if (char === "\\") at += 1;
      else if (char === quote) quote = "";
    } else if (isQuote(char) && at === start) {
      quote = char;
    } else if (isSpace(char) || char === "(" || char === ")") {
      name = null;
      start = at + 1;
    } else if (char === "," || (char === "-" && at === start && name === null)) {
      start = at + 1;
    } else if (name === null && (char === ":" || isComparison(text, at))) {
      name = text.slice(start, at);
      // After a colon "<1h" is a value to choose, "!=" is not.
      const signs = char === ":" ? "=!" : "<>=!";
      while (at + 1 < cursor && signs.includes(text.charAt(at + 1))) at += 1;
      start = at + 1;
    }
    at += 1;
  }
  // What begins after the cursor is another word.
  const end = name === null && start >= cursor ? cursor : endOf(text, cursor, quote, name !== null);
  return { name, isQuoted: start < cursor && isQuote(text.charAt(start)), start: Math.min(start, cursor), end };
}

/** Where the word ends in which the cursor is; of a name, after its colon. */
function endOf(text: string, cursor: number, quote: string, isValue: boolean): number {
  let at = cursor;
  if (quote !== "") {
    while (at < text.length && text.charAt(at) !== quote) at += text.charAt(at) === "\\" ? 2 : 1;
    return Math.min(at + 1, text.length);
  }
  while (at < text.length && !endsWord(text.charAt(at))) {
    if (!isValue && text.charAt(at) === ":") return at + 1;
    if (!isValue && isComparison(text, at)) return at;
    at += 1;
  }
  return at;
}

/** An option, and the text by which it is found. */
interface Offer extends Option {
  plain: string;
}

function* words(wanted: string, vocabulary: Vocabulary): Generator<Offer> {
  for (const [name, { hint }] of FIELDS) yield { text: `${name}:`, hint, plain: name };
  for (const status of STATUS_WORDS.keys()) yield { text: status, hint: trans.__("status"), plain: status };
  if (wanted === "") return;
  for (const name of vocabulary.values) yield { text: `${quotedName(name)}<`, hint: trans.__("number"), plain: name };
  for (const tag of vocabulary.tags) yield { text: `tag:${quoted(tag)}`, hint: trans.__("tag"), plain: tag };
  for (const name of vocabulary.names) yield { text: `name:${quoted(name)}`, hint: trans.__("name"), plain: name };
}

function* values(name: string, field: Field, vocabulary: Vocabulary): Generator<Offer> {
  const texts: ReadonlyMap<string, readonly string[]> = new Map([
    ["status", [...STATUS_WORDS.keys()]],
    ["tag", vocabulary.tags],
    ["name", vocabulary.names],
    ["engine", vocabulary.engines],
    ["backend", vocabulary.backends],
    ["error", ERROR_KINDS],
    ["cancel", CANCEL_STATES],
  ]);
  for (const text of texts.get(name) ?? []) yield { text: quoted(text), hint: "", plain: text };
  if (name === "status") {
    for (const status of vocabulary.statuses.map((each) => each.toLowerCase())) yield { text: quotedStatus(status), hint: "", plain: status };
  }
  for (const text of field.kind === "time" ? TIMES : (AMOUNTS.get(name) ?? [])) yield { text, hint: "", plain: text };
}

/** A text as a value, in quotes where it would mean something else without them. */
function quoted(text: string): string {
  return text !== "" && !/[\s(),*?]|^["':<>=!]/.test(text) ? text : inQuotes(text);
}

/** Another system's word for a status, in quotes where it would be taken for a slip. */
function quotedStatus(status: string): string {
  return nearestStatus(status) ? inQuotes(status) : quoted(status);
}

/** A number's name before a comparison. */
function quotedName(name: string): string {
  const isPlain = !/[\s(),:<>=!"'*?]|^-/.test(name) && !FIELDS.has(name.toLowerCase());
  return isPlain ? name : inQuotes(name);
}

function inQuotes(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
