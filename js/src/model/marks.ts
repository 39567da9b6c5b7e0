/** A result's picture as marks side by side: counts as bars, estimates as points with their errors. */
import { marking as trans } from "./translation";
import type { ChartInfo, EstimatesInfo, HistogramInfo } from "./wire";

export type OneChart = HistogramInfo | EstimatesInfo;

export interface Mark {
  label: string;
  /** null for one that is no finite number. */
  value: number | null;
  /** The standard error; null where there is none. */
  error: number | null;
}

/** The charts of a result, each with what it is called. */
export function chartsOf(chart: ChartInfo): { title: string; chart: OneChart }[] {
  if (chart.kind !== "many") return [{ title: "", chart }];
  return chart.charts.map((each, i) => ({ title: (chart.titles[i] ?? String(i)).replace(/^(?=\d+$)/, "#"), chart: each }));
}

/** A chart's marks. Counts are in the order of their outcomes, or the largest first. */
export function marksOf(chart: OneChart, byCount: boolean): Mark[] {
  if (chart.kind === "estimates") {
    return chart.values.map((value, i) => ({ label: chart.labels?.[i] ?? String(i), value, error: chart.errors?.[i] ?? null }));
  }
  const marks = chart.labels.map((label, i) => ({ label, value: chart.counts[i] ?? 0, error: null }));
  return byCount ? marks.sort((a, b) => b.value - a.value) : marks.sort((a, b) => compare(a.label, b.label));
}

const INTEGER = /^-?\d{1,15}$/;

/** Bit strings of one length by their bits, other numbers by what they are worth. */
function compare(a: string, b: string): number {
  if (a.length !== b.length || a.startsWith("-")) {
    if (INTEGER.test(a) && INTEGER.test(b)) return Number(a) - Number(b);
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether a histogram's counts are counts, rather than probabilities. */
export function isCounted(chart: HistogramInfo): boolean {
  return Number.isInteger(chart.shots) && chart.counts.every(Number.isInteger) && chart.shots > 1;
}

/** Round numbers from `low` to `high`, `most` of them at most, on a scale that begins and ends at such. */
export function roundScale(low: number, high: number, most: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const least = span / Math.max(1, most - 1);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= least * (1 - 1e-9)) ?? 10 * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  // Multiples keep their digits; sums of steps do not.
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Where marks and words are, in pixels. */
export interface Layout {
  width: number;
  height: number;
  left: number;
  top: number;
  bottom: number;
  /** From mark to mark. */
  pitch: number;
  ticks: { value: number; y: number; text: string }[];
  /** Marks' labels: as they are, turned so that they fit, or every few marks. */
  areTurned: boolean;
  every: number;
  y: (value: number) => number;
}

const CHAR = 5.8;
const LINE = 12;
const LONGEST_LABEL = 16;
const RIGHT = 8;
/** Few marks keep together. */
const WIDEST_PITCH = 96;
const NARROWEST = 240;
const TOP = 14;

/** A label that is long shows both its ends. */
export function shortLabel(label: string): string {
  const half = LONGEST_LABEL / 2 - 1;
  return label.length <= LONGEST_LABEL ? label : `${label.slice(0, half)}…${label.slice(-half)}`;
}

/** Place a chart's marks in `height` pixels, and `room` pixels at most beside each other. Bars stand on zero; points need not be near it. */
export function layOut(marks: readonly Mark[], isBars: boolean, room: number, height: number): Layout {
  const known = marks.flatMap(({ value, error }) => (value === null ? [] : [value - (error ?? 0), value + (error ?? 0)]));
  const low = Math.min(...(isBars ? [0] : []), ...known);
  const high = Math.max(...(isBars ? [0] : []), ...known);
  const scale = known.length === 0 ? [0, 1] : roundScale(low, high, Math.max(2, Math.floor(height / 40)));
  const texts = scale.map(tickText);
  const left = Math.ceil(Math.max(...texts.map((text) => text.length)) * CHAR) + 10;
  const pitch = Math.min(WIDEST_PITCH, Math.max(1, room - left - RIGHT) / Math.max(1, marks.length));
  const width = Math.max(Math.min(room, NARROWEST), Math.ceil(left + pitch * marks.length + RIGHT));
  const longest = Math.max(1, ...marks.map(({ label }) => shortLabel(label).length));
  const areTurned = longest * CHAR + 4 > pitch;
  const bottom = (areTurned ? Math.ceil(longest * CHAR) + 4 : LINE) + 6;
  const first = scale[0] ?? 0;
  const last = scale.at(-1) ?? 1;
  const y = (value: number): number => TOP + Math.max(1, height - TOP - bottom) * (1 - (value - first) / (last - first));
  return {
    width,
    height,
    left,
    top: TOP,
    bottom: height - bottom,
    pitch,
    ticks: scale.map((value, i) => ({ value, y: y(value), text: texts[i] ?? "" })),
    areTurned,
    every: areTurned ? Math.ceil((LINE - 1) / pitch) : 1,
    y,
  };
}

function tickText(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(1).replace(".0e", "e");
  return Number.isInteger(value) ? value.toLocaleString("en-US") : String(value);
}

/** The mark at a place from the left; null beside all. */
export function markAt({ left, pitch }: Layout, count: number, x: number): number | null {
  const at = Math.floor((x - left) / pitch);
  return at >= 0 && at < count ? at : null;
}

/** Rows of a file, and of a table that is read out: the first has the names of its columns. */
export function rowsOf(chart: OneChart, marks: readonly Mark[]): (string | number | null)[][] {
  if (chart.kind === "estimates") {
    const head = chart.errors === null ? [trans.__("label"), trans.__("value")] : [trans.__("label"), trans.__("value"), trans.__("standard error")];
    return [head, ...marks.map(({ label, value, error }) => [label, value, error].slice(0, head.length))];
  }
  const isCounts = isCounted(chart);
  const head = isCounts ? [trans.__("outcome"), trans.__("count"), trans.__("probability")] : [trans.__("outcome"), trans.__("probability")];
  return [head, ...marks.map(({ label, value }) => (isCounts ? [label, value, (value ?? 0) / chart.shots] : [label, value]))];
}
