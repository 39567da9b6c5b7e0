/** Numbers of one message: names in the order in which the message has them. */
export type Numbers = Readonly<Record<string, number>>;

export interface Point {
  seq: number;
  numbers: Numbers;
}

/** A column's value: null (a gap) where it is not finite, undefined where the message did not have it. */
export type Cell = number | null | undefined;

/** Data for a plot: `x` ascending, one column of the same length a name. */
export interface Table {
  /** Name of the horizontal axis; null where it is the message's number. */
  xName: string | null;
  x: number[];
  names: string[];
  columns: Cell[][];
}

/** One series alone: `x` ascending, `y` null where it is not finite. */
export interface Line {
  x: number[];
  y: (number | null)[];
}

/** Points kept, at most. */
export const MOST_POINTS = 2_000;
/** Series kept, at most: those that appeared first. */
export const MOST_SERIES = 12;

/** Names that mean "how far it is" rather than "what came out", the likeliest first. */
const AXIS_NAMES = ["iteration", "step", "epoch", "iter", "it", "generation", "evaluation", "sweep", "x", "i", "n", "t", "time"];

/** The numbers of a job's messages, bounded: past the bound it thins them out but keeps every extreme. */
export class Series {
  private points: Point[] = [];
  private readonly known: string[] = [];

  /** Names of the numbers, in the order in which they appeared. */
  get names(): readonly string[] {
    return this.known;
  }

  get size(): number {
    return this.points.length;
  }

  /** Take points in, in any order; a number that is there already is not taken twice. */
  add(points: readonly Point[]): void {
    const fresh = points.filter((point) => {
      const names = Object.keys(point.numbers);
      for (const name of names) {
        if (this.known.length < MOST_SERIES && !this.known.includes(name)) this.known.push(name);
      }
      return names.length > 0;
    });
    if (fresh.length === 0) return;
    const last = this.points.at(-1)?.seq ?? 0;
    const ordered = fresh.every((point, i) => point.seq > (i === 0 ? last : (fresh[i - 1]?.seq ?? 0)));
    this.points = this.points.concat(fresh);
    if (!ordered) {
      this.points.sort((a, b) => a.seq - b.seq);
      this.points = this.points.filter((point, i) => i === 0 || point.seq !== this.points[i - 1]?.seq);
    }
    if (this.points.length > 2 * MOST_POINTS) this.points = thin(this.points, this.known, MOST_POINTS);
  }

  table(): Table {
    // A name that stands alone is a series.
    const xName = this.known.length < 2 ? null : axisOf([this]);
    const names = this.known.filter((name) => name !== xName);
    const points = xName === null ? this.points : this.points.filter((point) => Number.isFinite(point.numbers[xName]));
    return {
      xName,
      x: points.map((point) => (xName === null ? point.seq : (point.numbers[xName] ?? 0))),
      names,
      columns: names.map((name) => points.map((point) => cell(point.numbers[name]))),
    };
  }

  /** One of the numbers over another, or over the message's number: about `most` points at most. */
  line(xName: string | null, name: string, most: number): Line {
    const all = this.points.filter(({ numbers }) => name in numbers && (xName === null || Number.isFinite(numbers[xName])));
    const points = all.length > most ? thin(all, [name], most) : all;
    return {
      x: points.map((point) => (xName === null ? point.seq : (point.numbers[xName] ?? 0))),
      y: points.map((point) => cell(point.numbers[name]) ?? null),
    };
  }

  /** Whether most points have the number, and it never falls. */
  rises(name: string): boolean {
    let last = -Infinity;
    let seen = 0;
    for (const point of this.points) {
      const value = point.numbers[name];
      if (value === undefined || !Number.isFinite(value)) continue;
      if (value < last) return false;
      last = value;
      seen += 1;
    }
    return seen > this.points.length / 2;
  }
}

/** The horizontal axis of some series: the likeliest name that all have and whose values never fall. */
export function axisOf(all: readonly Series[]): string | null {
  return axesOf(all)[0] ?? null;
}

/** All names that can be a horizontal axis, the likeliest first. */
export function axesOf([first, ...others]: readonly Series[]): string[] {
  if (!first) return [];
  return AXIS_NAMES.flatMap((wanted) => first.names.filter((name) => name.toLowerCase() === wanted)).filter((name) =>
    [first, ...others].every((series) => series.rises(name)),
  );
}

function cell(value: number | undefined): Cell {
  return value === undefined || Number.isFinite(value) ? value : null;
}

/** Thin points out to about `target`: of each run of neighbours, those with the least or greatest of a series stay. */
export function thin(points: readonly Point[], names: readonly string[], target: number): Point[] {
  const buckets = Math.max(1, Math.floor(target / (2 * Math.max(1, names.length))));
  const width = points.length / buckets;
  const kept = new Set<number>([0, points.length - 1]);
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const from = Math.floor(bucket * width);
    const to = Math.floor((bucket + 1) * width);
    for (const name of names) {
      let low = -1;
      let high = -1;
      let hole = -1;
      for (let i = from; i < to; i += 1) {
        const value = points[i]?.numbers[name];
        if (value === undefined) continue;
        if (!Number.isFinite(value)) hole = i;
        else {
          if (low < 0 || value < (points[low]?.numbers[name] ?? Infinity)) low = i;
          if (high < 0 || value > (points[high]?.numbers[name] ?? -Infinity)) high = i;
        }
      }
      for (const i of [low, high, hole]) if (i >= 0) kept.add(i);
    }
  }
  return [...kept].sort((a, b) => a - b).map((i) => points[i] as Point);
}

interface Spread {
  low: number;
  high: number;
}

function spreadOf(column: readonly Cell[]): Spread {
  let low = Infinity;
  let high = -Infinity;
  for (const value of column) {
    if (value === null || value === undefined) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

/** How wide a spread is for the eye; one value alone counts as wide as a twentieth of itself. */
function width({ low, high }: Spread): number {
  return high - low || Math.abs(high) / 20 || 1;
}

/** Which series to draw at first: the first one, and those that one axis can show beside it. */
export function drawnAtFirst(table: Table): boolean[] {
  const spreads = table.columns.map(spreadOf);
  let drawn = spreads[0];
  return spreads.map((spread, i) => {
    if (i === 0 || !drawn) return true;
    if (!(spread.high >= spread.low)) return false;
    const both = { low: Math.min(drawn.low, spread.low), high: Math.max(drawn.high, spread.high) };
    const fits = width(both) <= 20 * width(drawn) && width(both) <= 20 * width(spread);
    if (fits) drawn = both;
    return fits;
  });
}
