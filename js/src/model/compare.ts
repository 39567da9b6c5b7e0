/** The interim results of several jobs in one chart. */
import { axesOf, type Line, type Series } from "./series";

/** What can be compared: names for either axis, the likeliest first. The message's number is null. */
export interface Choices {
  x: (string | null)[];
  y: string[];
}

/** Jobs without numbers so far do not count. A name that only one of several jobs has compares nothing. */
export function choicesOf(all: readonly Series[]): Choices {
  const full = all.filter((series) => series.size > 0);
  const counts = new Map<string, number>();
  for (const { names } of full) for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const axes = axesOf(full);
  const shared = [...counts].filter(([, count]) => count >= Math.min(2, full.length)).sort(([, a], [, b]) => b - a);
  const names = shared.map(([name]) => name);
  // An axis over itself is a diagonal: it comes last, for jobs that have nothing else.
  const y = [...names.filter((name) => !axes.includes(name)), ...names.filter((name) => axes.includes(name))];
  // An axis that is the only number of the jobs is what they are compared by.
  return { x: y.length > 1 ? [...axes, null] : [null], y };
}

export interface Comparison {
  /** All places of all lines, ascending. */
  x: number[];
  /** One a line: undefined where it has no point. */
  columns: (number | null | undefined)[][];
}

/** Points of all lines together, at most: a chart is not wider than that, and is painted five times a second. */
const MOST_POINTS = 12_000;
const FEWEST = 200;

/** How many points of each of so many lines are worth drawing. */
export function pointsOf(lines: number): number {
  return Math.max(FEWEST, Math.floor(MOST_POINTS / Math.max(1, lines)));
}

/** Lines over one axis. */
export function join(lines: readonly Line[]): Comparison {
  const x = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b);
  const places = new Map(x.map((at, i) => [at, i]));
  const columns = lines.map((line) => {
    const column = new Array<number | null | undefined>(x.length).fill(undefined);
    for (const [i, at] of line.x.entries()) column[places.get(at) ?? 0] = line.y[i];
    return column;
  });
  return { x, columns };
}

/** The last number of a line, and where it is; null for a line without any. */
export function lastOf({ x, y }: Line): { x: number; y: number } | null {
  const i = y.findLastIndex((value) => value !== null);
  const [at, value] = [x[i], y[i]];
  return at === undefined || value === undefined || value === null ? null : { x: at, y: value };
}
