import { displayText } from "./body";

/** Names that tell how far a program is rather than what came out; `_values.py` has the same. */
const AXES: ReadonlySet<string> = new Set(["iteration", "step", "epoch", "iter", "it", "generation", "evaluation"]);
const LONGEST = 300;
const LONGEST_BODY = 20_000;

/** A result in one line: a flat dict as `energy -1.1369, basis sto-3g`, anything else as it shows on the card. */
export function fewWords(body: string): string {
  const text = (body.length <= LONGEST_BODY ? (pairs(body) ?? pairs(asJson(body))) : null) ?? displayText(body);
  return text.slice(0, LONGEST).replaceAll(/\s*[\r\n]\s*/g, " ⏎ ");
}

/** A Python literal of plain words and numbers as JSON, its constants as words; others become what is neither. */
function asJson(literal: string): string {
  return literal.replaceAll(/'([^'"\\]*)'|\b(True|False|None)\b/g, (_all, text: string | undefined, name: string) => `"${text ?? name}"`);
}

function pairs(body: string): string | null {
  if (!/^\s*\{/.test(body)) return null;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  const parts = Object.entries(value as Record<string, unknown>);
  const isFlat = parts.every(([name, part]) => name !== "__type__" && (part === null || typeof part !== "object"));
  if (!isFlat || !parts.some(([, part]) => typeof part === "number")) return null;
  const told = parts.filter(([name, part]) => !(typeof part === "number" && AXES.has(name.toLowerCase())));
  return (told.length > 0 ? told : parts).map(([name, part]) => `${name} ${short(part)}`).join(", ");
}

function short(part: unknown): string {
  if (typeof part === "number") return String(Number.isInteger(part) ? part : Number(part.toPrecision(6)));
  return typeof part === "string" ? part : displayText(JSON.stringify(part));
}
