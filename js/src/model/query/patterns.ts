/** Texts that a query looks for. All of them are compared in lower case. */
import type { Word } from "./syntax";

export const LONGEST_PATTERN = 256;

export type TextTest = (text: string) => boolean;

export function isPattern(word: Word): boolean {
  return !word.isQuoted && /[*?]/.test(word.text);
}

/** A test of whether a lower-case text is this word, or fits it as a pattern. */
export function whole(word: Word): TextTest {
  const wanted = word.text.toLowerCase();
  if (!isPattern(word)) return (text) => text === wanted;
  const fits = expression(wanted);
  return (text) => fits.test(text);
}

/** A test of whether a lower-case text has this word in it, or fits it whole as a pattern. */
export function part(word: Word): TextTest {
  if (isPattern(word)) return whole(word);
  const wanted = word.text.toLowerCase();
  return (text) => text.includes(wanted);
}

export function anyText(tests: readonly TextTest[]): TextTest {
  const [only] = tests;
  if (only && tests.length === 1) return only;
  return (text) => tests.some((test) => test(text));
}

/**
 * A regular expression for a pattern. What stands between two stars is taken where it comes first, once and for all (a
 * lookahead is not entered again), so that many stars cost no more than few.
 */
function expression(pattern: string): RegExp {
  const [first = "", ...rest] = pattern.split("*").map(fixed);
  const last = rest.pop();
  if (last === undefined) return new RegExp(`^${first}$`, "su");
  const middle = rest.filter((segment) => segment !== "").map((segment, i) => `(?=(.*?${segment}))\\${i + 1}`);
  return new RegExp(`^${first}${middle.join("")}.*${last}$`, "su");
}

function fixed(segment: string): string {
  return segment.replace(/[\\^$.*+()[\]{}|/]/g, "\\$&").replaceAll("?", ".");
}
