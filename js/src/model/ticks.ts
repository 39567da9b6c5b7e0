/** Where an axis of local time has its marks, and what they say. */
import type { Span } from "./timeline";

export interface Tick {
  time: number;
  label: string;
}

const HOUR = 3_600;
const DAY = 86_400;
/** Steps that people count in, in seconds; a month and a year are of the calendar. */
const STEPS = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800],
  ...[HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY],
];
const MONTH = 30 * DAY;
const MONTHS = [1, 3, 6, 12, 24, 60, 120];

/** Marks at round local times, at least `least` seconds apart. The first one, and each of a new day, tells the day. */
export function ticksOf(span: Span, least: number): Tick[] {
  const step = STEPS.find((known) => known >= least) ?? MONTH * (MONTHS.find((n) => n * MONTH >= least) ?? 240);
  const ticks: Tick[] = [];
  let day = "";
  for (const date of dates(span, step)) {
    const time = date.getTime() / 1_000;
    if (time > span.to) break;
    if (time < span.from) continue;
    // Words for a day take long to find: only where they are told.
    const today = date.toDateString();
    ticks.push({ time, label: step >= DAY ? dayOf(date, step) : `${today === day ? "" : `${dayOf(date, step)} `}${clockOf(date, step)}` });
    day = today;
  }
  return ticks;
}

/** Round dates from before the span on; by the calendar from an hour up, since a day may have 23 hours. */
function* dates(span: Span, step: number): Generator<Date> {
  const first = new Date(span.from * 1_000);
  const [year, month, day] = [first.getFullYear(), first.getMonth(), first.getDate()];
  if (step < HOUR) {
    // Offsets from universal time may be quarters of an hour: minutes are counted from the local hour.
    const hour = new Date(year, month, day, first.getHours()).getTime();
    const skipped = Math.floor((first.getTime() - hour) / 1_000 / step);
    for (let i = skipped; ; i += 1) yield new Date(Math.round(hour + i * step * 1_000));
  }
  if (step < DAY) for (let hours = 0; ; hours += step / HOUR) yield new Date(year, month, day, hours);
  if (step < MONTH) {
    // Counted from a fixed day, so that marks stay where they are while the axis is moved.
    const days = Math.floor(Date.UTC(year, month, day) / 1_000 / step) * (step / DAY);
    for (let i = days; ; i += step / DAY) yield new Date(1970, 0, 1 + i);
  }
  const months = Math.round(step / MONTH);
  for (let i = Math.floor((year * 12 + month) / months) * months; ; i += months) yield new Date(0, i - 1_900 * 12, 1);
}

function dayOf(date: Date, step: number): string {
  const year: Intl.DateTimeFormatOptions = step < MONTH ? {} : { year: "numeric" };
  const month: Intl.DateTimeFormatOptions = step < 12 * MONTH ? { month: "short" } : {};
  return date.toLocaleDateString(undefined, { ...year, ...month, ...(step < MONTH && { day: "numeric" }) });
}

function clockOf(date: Date, step: number): string {
  const two = (n: number): string => String(n).padStart(2, "0");
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (step >= 60) return minutes;
  const seconds = `${minutes}:${two(date.getSeconds())}`;
  return step >= 1 ? seconds : `${seconds}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** A moment in local time to the second; with its day where that is not today's. */
export function momentOf(time: number, now: number): string {
  const date = new Date(time * 1_000);
  const day = date.toDateString() === new Date(now * 1_000).toDateString() ? "" : `${dayOf(date, DAY)} `;
  return day + clockOf(date, 1);
}
