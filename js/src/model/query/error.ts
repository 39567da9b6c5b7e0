import { translator, type Translation, type Values } from "../translation";

/** A query cannot be read. `start` and `end` are places in its text, between which the bad word stands. */
export class QueryError extends Error {
  /**
   * @param text - What is wrong, marked for those who translate, with the names of `values` in it.
   */
  constructor(
    private readonly text: string,
    readonly start: number,
    readonly end: number,
    private readonly values: Values = {},
  ) {
    super(translator().gettext(text, values));
    this.name = "QueryError";
  }

  /** What is wrong, in the reader's language. */
  said(trans: Translation): string {
    return trans.gettext(this.text, this.values);
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
