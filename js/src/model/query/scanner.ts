import { marking as trans, type Values } from "../translation";
import { QueryError, shown } from "./error";
import type { Operator, Term, Word } from "./syntax";

export const MOST_CHARACTERS = 10_000;
export const MOST_WORDS = 500;

const OPERATORS: readonly string[] = [":", "<", "<=", ">", ">=", "=", "!="];

export function isSpace(char: string): boolean {
  return /^\s$/.test(char);
}

export function isQuote(char: string): boolean {
  return char === '"' || char === "'";
}

/** Tell whether a character ends a word; the end of the text (an empty one) does not count. */
export function endsWord(char: string): boolean {
  return char === "(" || char === ")" || char === "," || isSpace(char);
}

/** Tell whether a comparison begins at this place. */
export function isComparison(text: string, at: number): boolean {
  const char = text.charAt(at);
  return char === "<" || char === ">" || char === "=" || (char === "!" && text.charAt(at + 1) === "=");
}

/** A place in a query's text, which moves on as words are read. Everything throws QueryError. */
export class Scanner {
  at = 0;
  private words = 0;

  constructor(private readonly text: string) {
    if (text.length > MOST_CHARACTERS) {
      this.fail(trans.__("a query has at most {most} characters"), MOST_CHARACTERS, text.length, { most: MOST_CHARACTERS });
    }
  }

  fail(text: string, start: number, end: number, values?: Values): never {
    throw new QueryError(text, start, end, values);
  }

  /** The character at this place, empty at the end. */
  peek(): string {
    return this.text.charAt(this.at);
  }

  skipSpaces(): void {
    this.at = this.afterSpaces(this.at);
  }

  /** Which of these keywords stands here; it does not move on. */
  keyword(...keywords: string[]): string | null {
    const end = this.nameEnd(this.at);
    const word = this.text.slice(this.at, end);
    const next = this.text.charAt(end);
    return keywords.includes(word) && (next === "" || !",:<>=!".includes(next)) ? word : null;
  }

  /** Read a term. At least one character that is no space and no parenthesis is there. */
  term(): Term {
    const start = this.at;
    let name: Word;
    if (isQuote(this.peek())) {
      name = this.quoted();
    } else {
      this.at = this.nameEnd(start);
      name = { text: this.text.slice(start, this.at), isQuoted: false, start, end: this.at };
    }
    const comparison = this.afterSpaces(this.at);
    if (isComparison(this.text, comparison)) this.at = comparison;
    else if (this.peek() !== ":" || name.isQuoted) return { kind: "term", name: null, operator: ":", words: this.moreWords(name) };
    return this.comparison(name);
  }

  private comparison(name: Word): Term {
    const start = this.at;
    while (this.peek() !== "" && ":<>=!".includes(this.peek())) this.at += 1;
    const run = this.text.slice(start, this.at);
    let operator = run.length > 1 && run.startsWith(":") ? run.slice(1) : run;
    if (operator === "==") operator = "=";
    if (!OPERATORS.includes(operator) || run === "::") {
      const values = { sign: shown(run), signs: OPERATORS.join(" ") };
      this.fail(trans.__('there is no "{sign}" in queries; there are {signs}'), start, this.at, values);
    }
    if (name.text === "") this.fail(trans.__('there is no name before "{sign}"'), start, this.at, { sign: shown(run) });
    const end = this.at;
    if (operator !== ":") this.skipSpaces();
    const first = this.word();
    if (!first) {
      const what = shown(this.text.slice(name.start, end));
      return this.fail(trans.__('"{what}" lacks what comes after it'), name.start, end, { what });
    }
    return { kind: "term", name, operator: operator as Operator, words: this.moreWords(first) };
  }

  /** Read what follows a word after commas. */
  private moreWords(first: Word): Word[] {
    const words = [first];
    this.count(first);
    while (this.peek() === ",") {
      const comma = this.at;
      if (words.at(-1)?.text === "") this.fail(trans.__("something is missing before the comma"), comma, comma + 1);
      this.at += 1;
      const word = this.word();
      if (!word) return this.fail(trans.__("something is missing after the comma"), comma, comma + 1);
      this.count(word);
      words.push(word);
    }
    return words;
  }

  private count(word: Word): void {
    this.words += 1;
    if (this.words > MOST_WORDS) this.fail(trans.__("a query has at most {most} words"), word.start, word.end, { most: MOST_WORDS });
  }

  private word(): Word | null {
    const start = this.at;
    if (isQuote(this.peek())) return this.quoted();
    this.at = this.wordEnd(start);
    return this.at > start ? { text: this.text.slice(start, this.at), isQuoted: false, start, end: this.at } : null;
  }

  private quoted(): Word {
    const start = this.at;
    const quote = this.peek();
    let text = "";
    let at = start + 1;
    while (this.text.charAt(at) !== quote) {
      if (at >= this.text.length) this.fail(trans.__("this quote is never closed"), start, start + 1);
      const next = this.text.charAt(at + 1);
      if (this.text.charAt(at) === "\\" && (next === quote || next === "\\")) at += 1;
      text += this.text.charAt(at);
      at += 1;
    }
    const end = at + 1;
    this.at = end;
    if (text === "") this.fail(trans.__("there is nothing between these quotes"), start, end);
    if (this.peek() !== "" && !endsWord(this.peek()) && !isComparison(this.text, end)) {
      this.fail(trans.__("a space is missing after the quote"), end, this.wordEnd(end));
    }
    return { text, isQuoted: true, start, end };
  }

  private afterSpaces(at: number): number {
    while (isSpace(this.text.charAt(at))) at += 1;
    return at;
  }

  private wordEnd(at: number): number {
    while (at < this.text.length && !endsWord(this.text.charAt(at))) at += 1;
    return at;
  }

  private nameEnd(at: number): number {
    while (at < this.text.length && !endsWord(this.text.charAt(at)) && this.text.charAt(at) !== ":" && !isComparison(this.text, at)) {
      at += 1;
    }
    return at;
  }
}
