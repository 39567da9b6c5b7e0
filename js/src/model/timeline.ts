/** Who ran when: bars in lanes, the stretch of time that is shown, and what is at a point of it. Times are in seconds. */
import type { JobInfo } from "./wire";

export type TimedJob = Pick<JobInfo, "id" | "created" | "started" | "ended" | "final">;

export interface Bar<Job extends TimedJob = TimedJob> {
  job: Job;
  lane: number;
  /** Where it is drawn from: since it was created, or since its lane has had room. */
  from: number;
  /** Where its run begins; at its end where it never ran. */
  start: number;
  /** Infinite while it goes on. */
  end: number;
}

export interface Lanes<Job extends TimedJob = TimedJob> {
  /** All bars, in the order in which they began. */
  bars: readonly Bar<Job>[];
  /** The bars of each lane, in order and apart: first the lanes of jobs that ran, then those of jobs that never did. */
  lanes: readonly (readonly Bar<Job>[])[];
  /** How many lanes are of jobs that ran. */
  ran: number;
}

/** A stretch of time. */
export interface Span {
  from: number;
  to: number;
}

/** Put jobs into as few lanes as there ran at one time. */
export function layOut<Job extends TimedJob>(jobs: readonly Job[]): Lanes<Job> {
  const ran: Bar<Job>[] = [];
  const waited: Bar<Job>[] = [];
  for (const job of jobs) {
    const { created, started, ended, final } = job;
    // Clocks of other machines may be ahead: nothing ends before it begins.
    const begin = started ?? created;
    const end = final ? Math.max(begin, ended ?? begin) : Infinity;
    (started === null ? waited : ran).push({ job, lane: 0, from: Math.min(created, begin), start: started ?? end, end });
  }
  const lanes = pack(ran, (bar) => bar.start);
  const count = lanes.length;
  for (const lane of pack(waited, (bar) => bar.from)) {
    for (const bar of lane) bar.lane += count;
    lanes.push(lane);
  }
  const bars = [...ran, ...waited].sort((a, b) => beginning(a) - beginning(b));
  return { bars, lanes, ran: count };
}

function beginning(bar: Bar): number {
  return bar.job.started ?? bar.from;
}

/** Give each bar the lowest lane that is free when it begins. */
function pack<Job extends TimedJob>(bars: Bar<Job>[], begin: (bar: Bar<Job>) => number): Bar<Job>[][] {
  bars.sort((a, b) => begin(a) - begin(b));
  const byEnd = bars.toSorted((a, b) => a.end - b.end);
  const placed = new Set<Bar<Job>>();
  const lanes: Bar<Job>[][] = [];
  const isFree: boolean[] = [];
  let ended = 0;
  // No lane below this one is free.
  let lowest = 0;
  for (const bar of bars) {
    const at = begin(bar);
    for (let next = byEnd[ended]; next && next.end <= at && placed.has(next); next = byEnd[(ended += 1)]) {
      isFree[next.lane] = true;
      lowest = Math.min(lowest, next.lane);
    }
    while (lowest < lanes.length && !isFree[lowest]) lowest += 1;
    bar.lane = lowest;
    isFree[lowest] = false;
    const lane = (lanes[lowest] ??= []);
    bar.from = Math.max(bar.from, lane.at(-1)?.end ?? -Infinity);
    lane.push(bar);
    placed.add(bar);
  }
  return lanes;
}

/** From the first to the last moment of all jobs; a job that goes on reaches `now`. */
export function extentOf({ bars }: Lanes, now: number): Span {
  return spanOf(bars, now);
}

/** A break as long as this, and as long as all that came after it, parts one session from another. */
const BREAK = 1_800;

/** What somebody wants to see first: all since the last long break. */
export function recentOf({ bars }: Lanes, now: number): Span {
  const reached: number[] = [];
  let reach = -Infinity;
  for (const bar of bars) {
    reached.push(reach);
    // A job may wait for days for somebody to submit it: that is no session.
    reach = Math.max(reach, bar.start === Infinity ? bar.from : Math.min(bar.end, now));
  }
  let first = bars.length - 1;
  while (first > 0) {
    const bar = bars[first];
    const gap = bar ? bar.from - (reached[first] ?? 0) : 0;
    if (bar && gap > Math.max(BREAK, reach - bar.from)) break;
    first -= 1;
  }
  return spanOf(bars.slice(Math.max(0, first)), now);
}

function spanOf(bars: readonly Bar[], now: number): Span {
  let from = Infinity;
  let to = -Infinity;
  for (const bar of bars) {
    from = Math.min(from, bar.from);
    to = Math.max(to, bar.end === Infinity ? now : bar.end);
  }
  if (!(to >= from)) return { from: now - 60, to: now };
  const margin = Math.max((to - from) * 0.02, 0.05);
  return { from: from - margin, to: to + margin };
}

const SHORTEST = 0.01;

/** Show `factor` times as much time, with the moment `at` where it is; never so much that all there is becomes tiny. */
export function zoomed(span: Span, factor: number, at: number, extent: Span): Span {
  const before = span.to - span.from;
  const width = Math.min(Math.max(before * factor, SHORTEST), Math.max(2 * (extent.to - extent.from), before));
  const share = (at - span.from) / before;
  return { from: at - share * width, to: at + (1 - share) * width };
}

/** Move on by so many seconds, but not away from all there is. */
export function moved(span: Span, by: number, extent: Span): Span {
  const step = Math.max(Math.min(by, extent.to - span.from), extent.from - span.to);
  return { from: span.from + step, to: span.to + step };
}

/** Move only as far as it takes to see a bar's beginning, and its end if there is room. */
export function revealing(span: Span, bar: Bar, now: number, extent: Span): Span {
  const width = span.to - span.from;
  const start = Math.min(bar.start, now);
  const end = Math.min(bar.end, now);
  if (start < span.from) return moved(span, start - width * 0.1 - span.from, extent);
  if (start > span.to) return moved(span, Math.min(start - width * 0.1, end - width * 0.9) - span.from, extent);
  return span;
}

/** Pixels from lane to lane. */
export interface Pitch {
  ran: number;
  waited: number;
}

const RAN = { least: 6, most: 16 };
const WAITED = { least: 3, most: 8 };

/** Lanes get closer where there are more than fit into `height` pixels; past a limit they go on below. */
export function pitchOf({ lanes, ran }: Lanes, height: number): Pitch {
  const each = (count: number, room: number, { least, most }: typeof RAN): number =>
    count === 0 ? most : Math.min(most, Math.max(least, Math.floor(room / count)));
  const running = each(ran, height, RAN);
  return { ran: running, waited: each(lanes.length - ran, height - ran * running, WAITED) };
}

/** Where a lane begins; for the number of lanes, how high they are together. */
export function topOf(lane: number, { ran }: Lanes, pitch: Pitch): number {
  return Math.min(lane, ran) * pitch.ran + Math.max(0, lane - ran) * pitch.waited;
}

/** The lane at a height; below 0 or past the last one where there is none. */
export function laneAt(y: number, { ran }: Lanes, pitch: Pitch): number {
  const below = y - ran * pitch.ran;
  return below < 0 ? Math.floor(y / pitch.ran) : ran + Math.floor(below / pitch.waited);
}

/** The bar of a lane at a moment, or the nearest at most `tolerance` seconds away. */
export function barAt<Job extends TimedJob>(lane: readonly Bar<Job>[], time: number, tolerance: number, now: number): Bar<Job> | null {
  const next = firstAfter(lane, time);
  const distance = (bar: Bar<Job>): number => Math.max(0, bar.from - time, time - Math.min(bar.end, now));
  const near = [lane[next - 1], lane[next]].filter((bar) => bar !== undefined).filter((bar) => distance(bar) <= tolerance);
  return near.sort((a, b) => distance(a) - distance(b))[0] ?? null;
}

/** Index of the lane's first bar that begins after a moment. */
export function firstAfter(lane: readonly Bar[], time: number): number {
  let low = 0;
  let high = lane.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lane[middle]?.from ?? Infinity) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What the picture says, in numbers. */
export interface Summary {
  jobs: number;
  waiting: number;
  running: number;
  /** Most jobs that ran at one time. */
  peak: number;
}

export function summaryOf({ bars, ran }: Lanes): Summary {
  let running = 0;
  let waiting = 0;
  for (const { job } of bars) {
    if (job.final) continue;
    if (job.started === null) waiting += 1;
    else running += 1;
  }
  return { jobs: bars.length, waiting, running, peak: ran };
}
