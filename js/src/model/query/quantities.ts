/** Numbers, lengths of time, sizes and points in time as people write them. What is none reads as null. */
const SIGNED = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const WRITTEN = /^(?:np\.\w+\()?([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\)?$/i;
const LENGTH = /(\d+\.?\d*|\.\d+)(ms|min|[smhdw])/g;
const LENGTHS = /^(?:(?:\d+\.?\d*|\.\d+)(?:ms|min|[smhdw]))+$/;
const SIZE = /^((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?) ?([kmgtp]?)(i?)b?$/;
const DATE = /^(\d{4})-(\d\d)(?:-(\d\d)(?:[t ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,6})?)?(z|[+-]\d\d:?\d\d)?)?)?$/;
const LONGEST = 60;

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600, d: 86400, w: 604800 };

export function numberOf(text: string): number | null {
  return text.length <= LONGEST && SIGNED.test(text) ? finite(text) : null;
}

/** The number that an input's text is, as Python writes it. */
export function writtenNumber(text: string): number | null {
  const match = text.length <= LONGEST ? WRITTEN.exec(text) : null;
  return match ? finite(match[1] ?? "") : null;
}

export function percentOf(text: string): number | null {
  return numberOf(text.endsWith("%") ? text.slice(0, -1) : text);
}

/** Seconds: `90`, `1.5h`, `1h30m`, `200ms`. */
export function durationOf(text: string): number | null {
  const lower = text.toLowerCase();
  if (lower.length > LONGEST) return null;
  if (!LENGTHS.test(lower)) {
    const seconds = numberOf(lower);
    return seconds !== null && seconds >= 0 ? seconds : null;
  }
  let total = 0;
  for (const [, amount, unit] of lower.matchAll(LENGTH)) total += Number(amount) * (SECONDS[unit ?? ""] ?? 0);
  return total;
}

/** Bytes: `512`, `1GB` is 1000 MB, `1GiB` is 1024 MiB. */
export function sizeOf(text: string): number | null {
  const [, amount, prefix, binary] = (text.length <= LONGEST && SIZE.exec(text.toLowerCase())) || [];
  if (amount === undefined || (binary && !prefix)) return null;
  const number = finite(amount);
  return number === null ? null : number * (binary ? 1024 : 1000) ** (prefix ? " kmgtp".indexOf(prefix) : 0);
}

/** From `start` until before `end`, in seconds since the epoch. */
export interface Span {
  start: number;
  end: number;
}

/** What a text says of a time: how long ago, a day counted back from today, or a stretch of time. */
export type Moment = { kind: "age"; seconds: number } | { kind: "day"; ago: number } | ({ kind: "span" } & Span);

/** An age such as `1h`, `today`, or a date with or without a time of day. */
export function momentOf(text: string): Moment | null {
  const lower = text.toLowerCase();
  if (lower === "today") return { kind: "day", ago: 0 };
  if (lower === "yesterday") return { kind: "day", ago: 1 };
  if (lower.length > LONGEST) return null;
  if (LENGTHS.test(lower)) {
    const seconds = durationOf(lower);
    return seconds === null ? null : { kind: "age", seconds };
  }
  const match = DATE.exec(lower);
  const span = match && spanOf(match);
  return span ? { kind: "span", ...span } : null;
}

/** A day by the local clock. */
export function daySpan(ago: number, now: number): Span {
  const date = new Date(now * 1000);
  return { start: midnight(date, -ago), end: midnight(date, 1 - ago) };
}

function midnight(date: Date, later: number): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + later).getTime() / 1000;
}

function spanOf(match: RegExpExecArray): Span | null {
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => (part ? Number(part) : undefined));
  if (year === undefined || month === undefined || year < 1970 || year > 2999 || month < 1 || month > 12) return null;
  if (day === undefined) return { start: local(year, month, 1), end: local(year, month + 1, 1) };
  if (day < 1 || day > new Date(year, month, 0).getDate()) return null;
  if (hour === undefined || minute === undefined) return { start: local(year, month, day), end: local(year, month, day + 1) };
  if (hour > 23 || minute > 59 || (second ?? 0) > 59) return null;
  const offset = offsetOf(match[8]);
  if (offset === null) return null;
  const parts = [year, month - 1, day, hour, minute, second ?? 0] as const;
  let start = offset === "local" ? new Date(...parts).getTime() / 1000 : Date.UTC(...parts) / 1000 - offset;
  if (match[7]) {
    start += Number(match[7]);
    return { start, end: start + 0.001 };
  }
  return { start, end: start + (second === undefined ? 60 : 1) };
}

function local(year: number, month: number, day: number): number {
  return new Date(year, month - 1, day).getTime() / 1000;
}

/** Seconds east of Greenwich. */
function offsetOf(text: string | undefined): number | "local" | null {
  if (text === undefined) return "local";
  if (text === "z") return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(-2));
  if (hours > 23 || minutes > 59) return null;
  return (text.startsWith("-") ? -1 : 1) * (hours * 3600 + minutes * 60);
}

function finite(text: string): number | null {
  const number = Number(text);
  return Number.isFinite(number) ? number : null;
}
