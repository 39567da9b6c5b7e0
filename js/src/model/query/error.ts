/** A query cannot be read. `start` and `end` are places in its text, between which the bad word stands. */
export class QueryError extends Error {
  constructor(
    message: string,
    readonly start: number,
    readonly end: number,
  ) {
    super(message);
    this.name = "QueryError";
  }
}

const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\t", "\\t"],
  ["\n", "\\n"],
  ["\r", "\\r"],
]);
const LONGEST = 40;

/** A word as a message names it: short, with what would be hidden or turn the line around as `\x1b`. */
export function shown(word: string): string {
  const characters = Array.from(word.slice(0, 2 * LONGEST + 2), visible).join("");
  const all = Array.from(characters);
  return all.length <= LONGEST ? characters : `${all.slice(0, LONGEST - 1).join("")}…`;
}

function visible(character: string): string {
  if (!UNSAFE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  const hex = (width: number): string => code.toString(16).padStart(width, "0");
  return ESCAPES.get(character) ?? (code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`);
}
