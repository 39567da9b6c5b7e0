/** Numbers of many jobs against each other: which there are, where each job's are, and which job is at a place. */
import { roundScale } from "./marks";
import type { DeckRow } from "./row";

/** What jobs were given, and what came out, as far as it is numbers that differ. */
export interface Names {
  inputs: string[];
  results: string[];
}

const MOST_NAMES = 24;

/** Names of the numbers that at least two jobs have, the inputs apart from the rest. */
export function namesOf(rows: readonly DeckRow[]): Names {
  const known = new Map<string, { count: number; first: number; isInput: boolean; varies: boolean }>();
  for (const row of rows) {
    for (const [name, value] of Object.entries(row.values)) {
      if (!Number.isFinite(value)) continue;
      const entry = known.get(name);
      const isInput = Object.hasOwn(row.inputs, name);
      if (!entry) known.set(name, { count: 1, first: value, isInput, varies: false });
      else {
        entry.count += 1;
        entry.isInput ||= isInput;
        entry.varies ||= entry.first !== value;
      }
    }
  }
  const useful = [...known].filter(([, { count, varies }]) => count > 1 && varies);
  const some = (isInput: boolean): string[] => useful.filter(([, entry]) => entry.isInput === isInput).map(([name]) => name).slice(0, MOST_NAMES);
  return { inputs: some(true), results: some(false) };
}

/** A job's number of a name; null where it has none that is finite. */
export function numberOf(row: DeckRow, name: string): number | null {
  const value = Object.hasOwn(row.values, name) ? row.values[name] : undefined;
  return value !== undefined && Number.isFinite(value) ? value : null;
}

/** A name's numbers on a scale of round ones. */
export interface Axis {
  name: string;
  low: number;
  high: number;
  ticks: number[];
}

export function axisOf(name: string, rows: readonly DeckRow[], most: number): Axis {
  let low = Infinity;
  let high = -Infinity;
  let areWhole = true;
  for (const row of rows) {
    const value = numberOf(row, name);
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
    areWhole &&= Number.isInteger(value);
  }
  const all = low > high ? [0, 1] : roundScale(low, high, most);
  const ends = { low: all[0] ?? 0, high: all.at(-1) ?? 1 };
  // Between two layers there is no half one.
  const ticks = areWhole && Number.isInteger(ends.low) && Number.isInteger(ends.high) ? all.filter(Number.isInteger) : all;
  return { name, ...ends, ticks };
}

/** Where a number is on its axis, from 0 to 1. */
export function shareOf({ low, high }: Axis, value: number): number {
  return (value - low) / (high - low);
}

/** A job in the picture: one place in a scatter plot, one on each axis of parallel coordinates. */
export interface Spot {
  row: DeckRow;
  x: number;
  y: number;
  /** From 0 to 1 where colours tell a number; null otherwise. */
  tint: number | null;
}

/** The place that is nearest to a point, at most `most` pixels away; null where there is none. */
export function nearest(spots: readonly Spot[], x: number, y: number, most: number): number | null {
  let found: number | null = null;
  let best = most * most;
  spots.forEach((spot, i) => {
    const distance = (spot.x - x) ** 2 + (spot.y - y) ** 2;
    if (distance > best) return;
    best = distance;
    found = i;
  });
  return found;
}

/** The line that passes nearest to a point between two axes; `ys` are its heights on all axes, `xs` where those are. */
export function nearestLine(lines: readonly (readonly (number | null)[])[], xs: readonly number[], x: number, y: number, most: number): number | null {
  const right = Math.min(xs.length - 1, Math.max(1, xs.findIndex((at) => at >= x) < 0 ? xs.length - 1 : xs.findIndex((at) => at >= x)));
  const [from, to] = [xs[right - 1] ?? 0, xs[right] ?? 1];
  let found: number | null = null;
  let best = most;
  lines.forEach((ys, i) => {
    const [a, b] = [ys[right - 1] ?? null, ys[right] ?? null];
    if (a === null || b === null) return;
    const distance = Math.abs(a + ((b - a) * (x - from)) / (to - from || 1) - y);
    if (distance > best) return;
    best = distance;
    found = i;
  });
  return found;
}
