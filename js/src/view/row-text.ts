import { displayText, isPicture } from "../model/body";
import { parseJson, type Json } from "../model/json";
import type { MessageRow } from "../model/wire";

/** Characters of a message in its row. */
const LONGEST = 500;
/** Characters of a message that is read for what it says; a longer one is data rather than a report. */
const LONGEST_REPORT = 65_536;
/** Names that tell how far a program is rather than what came out; `_values.py` has the same. */
const AXES: ReadonlySet<string> = new Set(["iteration", "step", "epoch", "iter", "it", "generation", "evaluation"]);

const texts = new WeakMap<MessageRow, string>();

/** A message as one line of text. */
export function rowText(row: MessageRow): string {
  let text = texts.get(row);
  if (text === undefined) {
    const isCutPicture = row[3] !== undefined && isPicture(row[2]);
    const shown = isCutPicture ? "<image>" : displayText(row[2]).slice(0, LONGEST);
    text = oneLine(isCutPicture || row[3] === undefined ? shown : `${shown}…`);
    texts.set(row, text);
  }
  return text;
}

/** A message in a few words, as in the deck: `energy -1.1369, basis sto-3g`, without the step it was at. */
export function briefText(row: MessageRow): string {
  const words = row[3] === undefined && row[2].length <= LONGEST_REPORT ? pairs(parseJson(row[2])) : null;
  return words === null ? rowText(row) : oneLine(words.slice(0, LONGEST));
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ⏎ ");
}

/** The names and values of a flat dict of which a part is a number; null for what is none. */
function pairs(node: Json | null): string | null {
  if (node?.kind !== "object" || node.entries.has("__type__")) return null;
  const parts = [...node.entries];
  if (parts.some(([, part]) => part.kind === "object" || part.kind === "array")) return null;
  if (!parts.some(([, part]) => isNumber(part))) return null;
  const told = parts.filter(([name, part]) => !(isNumber(part) && AXES.has(name.toLowerCase())));
  return (told.length > 0 ? told : parts).map(([name, part]) => `${name} ${short(part)}`).join(", ");
}

function isNumber(part: Json): boolean {
  return part.kind === "plain" && /^-?\d/.test(part.source);
}

function short(part: Json): string {
  if (part.kind === "string") return part.value;
  if (part.kind !== "plain") return "";
  return isNumber(part) && /[.eE]/.test(part.source) ? String(Number(Number(part.source).toPrecision(6))) : displayText(part.source);
}
