/** The query language; tests/query/test_language.py reads the same fixtures. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { completeQuery, parseQuery, QueryError, type Vocabulary } from "../src/model/query";
import { fillRow, type DeckRow } from "../src/model/row";
import { translator } from "../src/model/translation";
import type { WireRow } from "../src/model/wire";

interface Fixtures {
  now: number;
  zone: string;
  rows: Record<string, WireRow>;
  matches: [query: string, letters: string][];
  errors: [query: string, start: number, end: number, message: string][];
  vocabulary: Vocabulary;
  completions: [marked: string, start: number, end: number, options: string[]][];
}

const FIXTURES = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../tests/wire/queries.json"), "utf8")) as Fixtures;
const ROWS: [string, DeckRow][] = Object.entries(FIXTURES.rows).map(([letter, row]) => [letter, fillRow(row)]);

/** The letters of the jobs that a query finds. */
function found(text: string, now = FIXTURES.now): string {
  const query = parseQuery(text);
  return ROWS.filter(([, row]) => query.matches(row, now))
    .map(([letter]) => letter)
    .join("");
}

function errorOf(text: string): QueryError {
  try {
    parseQuery(text);
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
  throw new Error(`${text} was read`);
}

const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = FIXTURES.zone;
});
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

describe("a query", () => {
  test("is read by the local clock of the fixtures", () => {
    expect(new Date(FIXTURES.now * 1000).getHours()).toBe(12);
  });

  test.each(FIXTURES.matches)("%j finds the jobs that it means", (text, letters) => {
    expect(found(text)).toBe(letters);
  });

  test.each(FIXTURES.errors)("%j points at the bad word", (text, start, end, message) => {
    const error = errorOf(text);
    expect({ message: error.message, start: error.start, end: error.end }).toEqual({ message, start, end });
    expect(error.said(translator((template) => `«${template}»`))).toBe(`«${message}»`);
  });

  test("begins today at midnight by the local clock", () => {
    const letters = found("created:today");
    expect(letters).toContain("j");
    expect(found("created:today", FIXTURES.now + 86_400)).toBe("");
    expect(found("created:yesterday", FIXTURES.now + 86_400)).toBe(letters);
  });

  test("tells whether time changes its answer", () => {
    for (const text of ["started:<1h", "created:today", "took:>5m", "bell OR -started:>1d"]) {
      expect(parseQuery(text).dependsOnTime, text).toBe(true);
    }
    for (const text of ["", "running", "started:2025-11-20", "started:*", "energy<3", "cpu:>1h"]) {
      expect(parseQuery(text).dependsOnTime, text).toBe(false);
    }
  });

  test("without a term is empty", () => {
    expect(parseQuery(" \u3000\n").isEmpty).toBe(true);
    expect(parseQuery("a").isEmpty).toBe(false);
  });

  test("asks for numbers that objects inherit nothing of", () => {
    for (const text of ["constructor>0", "__proto__>0", "value.toString=*", "input.constructor:*"]) expect(found(text), text).toBe("");
  });
});

describe("a hostile query", () => {
  test.each([
    ["x".repeat(10_001), "at most 10000 characters"],
    ["a ".repeat(501), "at most 500 words"],
    [`status:${"done,".repeat(500)}done`, "at most 500 words"],
    ["-(".repeat(4_000), "at most 50 deep"],
    ["(".repeat(5_000), "at most 50 deep"],
    [`name:${"*a".repeat(200)}`, "at most 256 characters"],
    ["OR ".repeat(3_000), "before it"],
    ["<".repeat(9_000), "there is no"],
    [`${"n".repeat(9_000)}:x`, "there is no field"],
    [`energy<${"1".repeat(9_000)}`, "is not a number"],
    [`started:<${"1h".repeat(4_000)}`, "is no time"],
  ])("of too much is refused in words: %.20s", (text, words) => {
    const error = errorOf(text);
    expect(error.message).toContain(words);
    expect(error.message.length).toBeLessThan(500);
    expect(error.end).toBeGreaterThan(error.start);
  });

  test.each([
    "x".repeat(10_000),
    `${"-".repeat(9_999)}a`,
    "a ".repeat(500),
    `${"(".repeat(50)}a${")".repeat(50)}`,
    `name:${"a?".repeat(126)}*`,
    `name:*${"a?".repeat(126)}b*`,
    "\ud800 name:\ud800*",
  ])("within the bounds is answered: %.20s", (text) => {
    const row = fillRow({ ...(FIXTURES.rows.a as WireRow), name: "a".repeat(10_000) });
    expect(typeof parseQuery(text).matches(row, FIXTURES.now)).toBe("boolean");
  });

  test("of many stars takes no time that grows with their number", () => {
    const row = fillRow({ ...(FIXTURES.rows.a as WireRow), name: `${"a".repeat(10_000)}b` });
    expect(parseQuery(`name:${"*a".repeat(120)}*c`).matches(row, 0)).toBe(false);
    expect(parseQuery(`name:${"*a".repeat(120)}*b`).matches(row, 0)).toBe(true);
  });

  test("is answered, or refused with a place in it, whatever it is made of", () => {
    const pieces = [
      ...["status", "tag", "name", "id", "input.r", "value.x", "energy", "started", "took", "memory", "progress", "error"],
      ...[":", "<", "<=", ">", ">=", "=", "!=", "!", "(", ")", "-", ",", '"', "'", "\\", "*", "?", " ", " ", " "],
      ...["OR", "NOT", "AND", "running", "bell", "1h", "today", "2025-11-20", "1e5", "-1.1", "1GB", "\ud800", "\0", "\u202e", "\u3000"],
    ];
    const random = generator(7);
    let answered = 0;
    for (let round = 0; round < 3_000; round += 1) {
      const text = Array.from({ length: random(24) }, () => pieces[random(pieces.length)]).join("");
      completeQuery(text, random(text.length + 1), FIXTURES.vocabulary);
      try {
        found(text);
        answered += 1;
      } catch (error) {
        if (!(error instanceof QueryError)) throw error;
        expect(error.start, JSON.stringify(text)).toBeGreaterThanOrEqual(0);
        expect(error.end, JSON.stringify(text)).toBeGreaterThan(error.start);
        expect(error.end, JSON.stringify(text)).toBeLessThanOrEqual(text.length);
      }
    }
    expect(answered).toBeGreaterThan(100);
  });
});

/** Whole numbers below a bound, the same ones in every run. */
function generator(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

describe("a completion", () => {
  test.each(FIXTURES.completions)("of %j offers what may stand there", (marked, start, end, options) => {
    const cursor = marked.indexOf("|");
    const text = marked.slice(0, cursor) + marked.slice(cursor + 1);
    const completion = completeQuery(text, cursor, FIXTURES.vocabulary);
    expect({ ...completion, options: completion.options.map((option) => option.text) }).toEqual({ start, end, options });
  });

  test("offers words that can be read", () => {
    for (const [marked] of FIXTURES.completions) {
      const cursor = marked.indexOf("|");
      const text = marked.slice(0, cursor) + marked.slice(cursor + 1);
      const { start, end, options } = completeQuery(text, cursor, FIXTURES.vocabulary);
      for (const option of options) {
        if (/[:<]$/.test(option.text)) continue;
        const query = text.slice(0, start) + option.text + text.slice(end) + (text.includes("(") ? ")" : "");
        expect(() => parseQuery(query), query).not.toThrow();
      }
    }
  });

  test("is bounded, however many words there are", () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `tag-${i}`);
    expect(completeQuery("tag:", 4, { ...FIXTURES.vocabulary, tags: many }).options).toHaveLength(50);
  });
});
