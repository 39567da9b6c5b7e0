import { marking as trans, type Translation } from "./translation";
import type { JobInfo } from "./wire";

/** `0:12`, `12:05`, `1:02:05`, `3 d 4:05:06`. Seconds; anything below zero counts as zero. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const s = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${s}`;
  const m = String(minutes % 60).padStart(2, "0");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}:${m}:${s}`;
  return `${Math.floor(hours / 24)} d ${hours % 24}:${m}:${s}`;
}

/** How long something took that is over: `0.6 s` or `0.02 s` below a second, else a `duration`. */
export function took(seconds: number): string {
  if (seconds >= 1) return duration(seconds);
  return seconds < 0.1 ? `${Math.max(seconds, 0.01).toFixed(2)} s` : `${Math.min(seconds, 0.9).toFixed(1)} s`;
}

/** How long the job has run, or ran, in seconds; null if it never started. */
export function elapsed(job: JobInfo, now: number): number | null {
  if (job.started === null) return null;
  return Math.max(0, (job.ended ?? now) - job.started);
}

/** Seconds left by the progress made so far; null where nothing tells. `known` is when the progress was seen. */
export function left(job: JobInfo, now: number, known: number): number | null {
  const progress = job.progress;
  if (job.final || job.started === null || !progress || progress.total === null) return null;
  if (!(progress.done > 0) || !(progress.total > progress.done)) return null;
  const rate = progress.done / Math.max(known - job.started, 1e-3);
  const remaining = (progress.total - progress.done) / rate - (now - known);
  // It stands still: its pace so far tells nothing more.
  return remaining > 0 ? remaining : null;
}

/** Share done, 0 to 1; null where the total is unknown. */
export function share(job: JobInfo): number | null {
  const progress = job.progress;
  if (!progress || progress.total === null || !(progress.total > 0)) return null;
  return Math.min(1, Math.max(0, progress.done / progress.total));
}

/** `1st`, `2nd`, `3rd`, `11th`. */
export function ordinal(n: number, trans: Translation): string {
  const tens = n % 100;
  const last = tens >= 11 && tens <= 13 ? 0 : n % 10;
  if (last === 1) return trans.__("{n}st", { n });
  if (last === 2) return trans.__("{n}nd", { n });
  return last === 3 ? trans.__("{n}rd", { n }) : trans.__("{n}th", { n });
}

/** `12:00:05.412`, local wall clock. */
export function clock(time: number): string {
  const date = new Date(time * 1000);
  if (Number.isNaN(date.getTime())) return "";
  const two = (n: number): string => String(n).padStart(2, "0");
  const day = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

const MONTHS = [
  trans.__("Jan"),
  trans.__("Feb"),
  trans.__("Mar"),
  trans.__("Apr"),
  trans.__("May"),
  trans.__("Jun"),
  trans.__("Jul"),
  trans.__("Aug"),
  trans.__("Sep"),
  trans.__("Oct"),
  trans.__("Nov"),
  trans.__("Dec"),
];

/** `12:00:05` today, `Nov 20 12:00` in the same year, else `2025-11-20`; local wall clock. */
export function moment(time: number, now: number, trans: Translation): string {
  const date = new Date(time * 1000);
  const today = new Date(now * 1000);
  if (Number.isNaN(date.getTime())) return "";
  const wall = clock(time);
  if (date.toDateString() === today.toDateString()) return wall.slice(0, 8);
  if (date.getFullYear() === today.getFullYear()) {
    const month = trans.gettext(MONTHS[date.getMonth()] ?? "");
    return trans.__("{month} {day} {time}", { month, day: date.getDate(), time: wall.slice(0, 5) });
  }
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}

/** A count of things as people write it: `57`, `0.5`, `10,412`. */
export function count(n: number): string {
  return Number.isInteger(n) ? n.toLocaleString("en-US") : String(Number(n.toPrecision(4)));
}

/** `48 MiB`, `1.5 GiB`. */
export function bytes(n: number): string {
  let value = n;
  for (const unit of ["B", "KiB", "MiB"]) {
    if (value < 1024) return `${value < 10 && unit !== "B" ? value.toFixed(1) : Math.round(value)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} GiB`;
}
