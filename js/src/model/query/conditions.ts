/** From a tree of terms to a test of jobs. */
import type { DeckRow } from "../row";
import { marking as trans, type Values } from "../translation";
import {
  abbreviation,
  all,
  any,
  COMPARED,
  hasStatus,
  isOrder,
  MEASURES,
  namedInput,
  namedValue,
  opposite,
  TEXTS,
  timeCheck,
  unquoted,
  type Check,
  type Measure,
  type Order,
} from "./checks";
import { QueryError, shown } from "./error";
import { FIELDS, INPUT, nearest, nearestStatus, STATUS_WORDS, VALUE, type Field } from "./fields";
import { anyText, isPattern, LONGEST_PATTERN, part, whole, type TextTest } from "./patterns";
import { durationOf, momentOf, numberOf, percentOf, sizeOf, writtenNumber, type Moment } from "./quantities";
import type { Node, Operator, Term, Word } from "./syntax";

/** Characters from which on a word is looked for in ids, too: ids are random, and shorter ones are in many. */
const SHORTEST_ID = 4;

export interface Condition {
  check: Check;
  /** Time changes its answer. */
  isTimely: boolean;
}

/** The condition that a tree is. Throws QueryError where a term means nothing. */
export function conditionOf(node: Node): Condition {
  if (node.kind === "term") return new Reader(node).condition();
  if (node.kind === "not") {
    const inner = conditionOf(node.part);
    return { check: opposite(inner.check), isTimely: inner.isTimely };
  }
  const parts = node.parts.map(conditionOf);
  const checks = parts.map((one) => one.check);
  return { check: node.kind === "all" ? all(checks) : any(checks), isTimely: parts.some((one) => one.isTimely) };
}

interface Form {
  read: (text: string) => number | null;
  /** What is said of a word that is none. */
  refusal: string;
}

const NUMBER: Form = { read: numberOf, refusal: trans.__('"{word}" is not a number') };
const PERCENT: Form = { read: percentOf, refusal: trans.__('"{word}" is not a number of percent') };
const DURATION: Form = { read: durationOf, refusal: trans.__('"{word}" is not a length of time such as 90s, 5m or 1h30m') };
const SIZE: Form = { read: sizeOf, refusal: trans.__('"{word}" is not a size such as 500MB or 2GiB') };

/** Reads one term, and says what is wrong with it. */
class Reader {
  private readonly sign: Operator;
  private readonly words: readonly Word[];

  constructor(private readonly term: Term) {
    this.sign = term.operator;
    this.words = term.words;
  }

  condition(): Condition {
    for (const word of this.words) {
      if (isPattern(word) && word.text.length > LONGEST_PATTERN) {
        this.fail(trans.__("a pattern has at most {most} characters"), word, { most: LONGEST_PATTERN });
      }
    }
    const name = this.term.name;
    if (!name) return this.free();
    if (name.isQuoted) return this.value(name.text);
    const lowered = name.text.toLowerCase();
    const field = FIELDS.get(lowered);
    if (field) return this.field(lowered, field);
    for (const prefix of [INPUT, VALUE]) {
      if (lowered === prefix) this.fail(trans.__('there is no name after "{prefix}"'), name, { prefix });
      const rest = name.text.slice(prefix.length);
      if (lowered.startsWith(prefix)) return prefix === INPUT ? this.input(rest) : this.value(rest);
    }
    if (this.sign === ":" || (nearest(lowered) && numberOf(this.first.text) === null)) this.refuseField(name);
    return this.value(name.text);
  }

  private get first(): Word {
    return this.words[0] as Word;
  }

  private field(name: string, field: Field): Condition {
    const measure = MEASURES.get(name);
    if (measure) {
      switch (field.kind) {
        case "number":
          return this.number(measure, name === "progress" ? PERCENT : NUMBER);
        case "duration":
          return this.amount(measure, DURATION, name === "took");
        case "size":
          return this.amount(measure, SIZE, false);
        default:
          return this.time(measure);
      }
    }
    this.refuseOrder();
    switch (field.kind) {
      case "status":
        this.refuseSlips();
        return this.maybeNot(hasStatus(this.words));
      case "error":
        return this.maybeNot(this.error());
      case "input": {
        const fits = this.parts();
        return this.maybeNot((row) => Object.values(row.inputs).some((text) => fits(text.toLowerCase())));
      }
      default:
        return this.texts(name, field);
    }
  }

  // --- texts

  private free(): Condition {
    const isStatus = (word: Word): boolean => !word.isQuoted && STATUS_WORDS.has(word.text.toLowerCase());
    const statuses = this.words.filter(isStatus);
    const others = this.words.filter((word) => !isStatus(word));
    const checks: Check[] = statuses.length > 0 ? [hasStatus(statuses)] : [];
    if (others.length > 0) {
      const fits = anyText(others.map(part));
      const inIds = others.filter((word) => isPattern(word) || word.text.length >= SHORTEST_ID).map(part);
      const fitsId = anyText(inIds);
      checks.push(
        (row) =>
          fits(row.name.toLowerCase()) ||
          hasTag(row, fits) ||
          (inIds.length > 0 && fitsId(row.id)) ||
          (row.latest !== "" && fits(row.latest.toLowerCase())),
      );
    }
    return { check: any(checks), isTimely: false };
  }

  private texts(name: string, field: Field): Condition {
    const isAbbreviated = field.kind === "id" && this.sign === ":";
    const fits = isAbbreviated
      ? anyText(this.words.map(abbreviation))
      : field.kind === "text"
        ? this.parts()
        : anyText(this.words.map(whole));
    if (name === "tag") return this.maybeNot((row) => hasTag(row, fits));
    const textOf = TEXTS.get(name);
    return this.maybeNot((row) => {
      const text = textOf?.(row) ?? null;
      return text !== null && fits(text.toLowerCase());
    });
  }

  private error(): Check {
    const isKind = anyText(this.words.map(whole));
    const fits = this.parts();
    return (row) => row.error !== null && (isKind(row.error.kind) || fits(row.error.text.toLowerCase()));
  }

  private input(name: string): Condition {
    const textOf = namedInput(name);
    const numberIn = (text: string | null): number | null => (text === null ? null : writtenNumber(text));
    if (isOrder(this.sign)) return this.number((row) => numberIn(textOf(row)), NUMBER);
    const fits = anyText(this.words.map(whole));
    const numbers = new Set(this.words.map((word) => numberOf(word.text)).filter((number) => number !== null));
    return this.maybeNot((row) => {
      const text = textOf(row);
      if (text === null) return false;
      const number = numberIn(text);
      return fits(unquoted(text).toLowerCase()) || (number !== null && numbers.has(number));
    });
  }

  /** A test for parts of a text, or with `=` for all of it. */
  private parts(): TextTest {
    return anyText(this.words.map(this.sign === ":" ? part : whole));
  }

  private maybeNot(check: Check): Condition {
    return { check: this.sign === "!=" ? opposite(check) : check, isTimely: false };
  }

  // --- quantities

  private value(name: string): Condition {
    return this.number(namedValue(name), NUMBER);
  }

  private number(measure: Measure, form: Form): Condition {
    if (this.asksPresence()) return present(measure);
    const numbers = this.words.map((word) => this.amountOf(word, form));
    if (isOrder(this.sign)) return { check: this.compared(measure, this.sign, numbers), isTimely: false };
    // A bar shows whole percents.
    const width = form === PERCENT ? 0.5 : 0;
    const isWanted = this.sign !== "!=";
    return {
      check: (row, now) => {
        const found = measure(row, now);
        return found !== null && numbers.some((number) => Math.abs(found - number) <= width) === isWanted;
      },
      isTimely: false,
    };
  }

  private amount(measure: Measure, form: Form, isTimely: boolean): Condition {
    if (this.asksPresence()) return present(measure);
    const numbers = this.words.map((word) => this.amountOf(word, form));
    if (!isOrder(this.sign)) return this.askForOrder();
    return { check: this.compared(measure, this.sign, numbers), isTimely };
  }

  private compared(measure: Measure, order: Order, numbers: readonly number[]): Check {
    this.refuseMore();
    const compare = COMPARED[order];
    const number = numbers[0] as number;
    return (row, now) => {
      const found = measure(row, now);
      return found !== null && compare(found, number);
    };
  }

  private time(measure: Measure): Condition {
    if (this.asksPresence()) return present(measure);
    const moments = this.words.map((word) => this.momentOf(word));
    if ((this.sign === "=" || this.sign === "!=") && moments.some((moment) => moment.kind === "age")) this.askForOrder();
    if (isOrder(this.sign)) this.refuseMore();
    const checks = moments.map((moment) => timeCheck(moment, this.sign));
    const isWanted = this.sign !== "!=";
    return {
      check: (row, now) => {
        const found = measure(row, now);
        return found !== null && checks.some((check) => check(found, now)) === isWanted;
      },
      isTimely: moments.some((moment) => moment.kind !== "span"),
    };
  }

  /** Tell whether the term is like `started:*`: it has such a time at all. */
  private asksPresence(): boolean {
    return (this.sign === ":" || this.sign === "=") && this.words.length === 1 && this.first.text === "*";
  }

  private amountOf(word: Word, form: Form): number {
    return form.read(word.text) ?? this.fail(form.refusal, word, { word: shown(word.text) });
  }

  private momentOf(word: Word): Moment {
    const refusal = trans.__('"{word}" is no time; there are ages such as 1h or 2d, dates such as 2025-11-20, today and yesterday');
    return momentOf(word.text) ?? this.fail(refusal, word, { word: shown(word.text) });
  }

  // --- what is wrong

  private refuseOrder(): void {
    if (!isOrder(this.sign)) return;
    this.failWhole(trans.__("{name} is not compared with {sign}; there is {name}:{value}"), { ...this.shown(), sign: this.sign });
  }

  private askForOrder(): never {
    return this.failWhole(trans.__("say how to compare: {name}:<{value} or {name}:>{value}"), this.shown());
  }

  private refuseMore(): void {
    const second = this.words[1];
    if (second) this.fail(trans.__("{sign} compares with one value"), second, { sign: this.sign });
  }

  private refuseSlips(): void {
    for (const word of this.words) {
      const guess = word.isQuoted || isPattern(word) ? null : nearestStatus(word.text);
      if (guess) this.fail(trans.__('there is no status "{word}"; did you mean {guess}?'), word, { word: shown(word.text), guess });
    }
  }

  private refuseField(name: Word): never {
    const guess = nearest(name.text);
    const word = shown(name.text);
    if (guess) return this.fail(trans.__('there is no field "{word}"; did you mean {guess}?'), name, { word, guess });
    return this.fail(trans.__('there is no field "{word}"; there are {fields}'), name, { word, fields: [...FIELDS.keys()].join(", ") });
  }

  private shown(): { name: string; value: string } {
    return { name: shown(this.term.name?.text ?? ""), value: shown(this.first.text) };
  }

  private failWhole(text: string, values: Values): never {
    const start = (this.term.name ?? this.first).start;
    throw new QueryError(text, start, this.words.at(-1)?.end ?? start, values);
  }

  private fail(text: string, word: Word, values: Values): never {
    throw new QueryError(text, word.start, word.end, values);
  }
}

function present(measure: Measure): Condition {
  return { check: (row, now) => measure(row, now) !== null, isTimely: false };
}

function hasTag(row: DeckRow, fits: TextTest): boolean {
  return row.tags.some((tag) => fits(tag.toLowerCase()));
}
