import { marking as trans } from "./translation";
import type { JobInfo } from "./wire";

/** What the badge shows: a word, a shape beside it, and the tone that colours both. */
export interface Face {
  word: string;
  tone: "waiting" | "running" | "stopping" | "done" | "error" | "cancelled" | "unknown";
}

const FACES: Readonly<Record<string, Face>> = {
  INITIALIZING: { word: trans.__("Prepared"), tone: "waiting" },
  QUEUED: { word: trans.__("Queued"), tone: "waiting" },
  VALIDATING: { word: trans.__("Validating"), tone: "waiting" },
  RUNNING: { word: trans.__("Running"), tone: "running" },
  DONE: { word: trans.__("Done"), tone: "done" },
  ERROR: { word: trans.__("Error"), tone: "error" },
  CANCELLED: { word: trans.__("Cancelled"), tone: "cancelled" },
};
const STOPPING: Face = { word: trans.__("Cancelling…"), tone: "stopping" };

/** What a badge tells of. */
export type Stand = Pick<JobInfo, "status" | "final" | "cancel_state">;

/** Tell whether somebody asked for the job to stop and it has not stopped yet. */
export function isStopping(job: Stand): boolean {
  return !job.final && (job.cancel_state === "requested" || job.cancel_state === "stopping");
}

/** The face of a job. A status that is not one of ours shows as its own text. */
export function face(job: Stand): Face {
  if (isStopping(job)) return STOPPING;
  return (Object.hasOwn(FACES, job.status) ? FACES[job.status] : undefined) ?? { word: job.status, tone: "unknown" };
}

/** What a person may do to a job just now. */
export type Deed = "cancel" | "kill" | "retry";

/** Why something cannot be done to a job, not yet translated; a note is the system's own words. */
export type Refusal = { words: string } | { note: string };

/** Whether jobdeck itself runs the job: what it did not start, it can neither kill nor run again. */
export function isOurs(job: Pick<JobInfo, "watched">): boolean {
  return !job.watched;
}

/** What is offered first for a job, and what stands against it; null where there is nothing to be done. */
export function deedFor(job: JobInfo): { deed: Deed; refusal: Refusal | null } | null {
  if (isStopping(job)) return { deed: "kill", refusal: null };
  if (!job.final) {
    if (job.can_cancel) return { deed: "cancel", refusal: null };
    return { deed: "cancel", refusal: job.cancel_note ? { note: job.cancel_note } : { words: trans.__("It cannot be stopped.") } };
  }
  if (job.status !== "ERROR" && job.status !== "CANCELLED") return null;
  return { deed: "retry", refusal: isOurs(job) ? null : { words: trans.__("jobdeck did not start this job: run it again where it was started.") } };
}

/** Tell whether the card of such a job is open until somebody closes it. */
export function opensByItself(job: JobInfo): boolean {
  return job.status === "RUNNING" && !isStopping(job);
}

const ORDER = ["RUNNING", "QUEUED", "VALIDATING", "INITIALIZING", "DONE", "ERROR", "CANCELLED"];

/** The place of a job's status among all: those that are under way first. */
export function rank(job: JobInfo): number {
  const place = ORDER.indexOf(job.status);
  return place < 0 ? ORDER.length : place;
}

export interface Tally {
  status: string;
  word: string;
  count: number;
}

/** Counts by status in the order in which they are shown; statuses that nobody has are left out. */
export function ranked(counts: Readonly<Record<string, number>>): Tally[] {
  const present = Object.keys(counts).filter((status) => (counts[status] ?? 0) > 0);
  const unknown = present.filter((status) => !ORDER.includes(status)).sort();
  return [...ORDER.filter((status) => present.includes(status)), ...unknown].map((status) => ({
    status,
    word: statusWord(status),
    count: counts[status] ?? 0,
  }));
}

const FINAL: readonly string[] = ["DONE", "ERROR", "CANCELLED"];

/** What waits here for its turn, and no other system's word for how a job stands. */
const WAITING: readonly string[] = ["QUEUED", "VALIDATING", "INITIALIZING"];

/**
 * The status that says most about some jobs: what is under way, then what went wrong. Python's `_status.foremost` says the same.
 *
 * @param tallies - How many have each status, in the order of `ranked`.
 * @param isWhole - No more jobs are to come.
 * @param hasBegun - One has started, also where it has ended by now.
 */
export function foremost(tallies: readonly Tally[], { isWhole = true, hasBegun = false } = {}): string {
  const open = tallies.find(({ status }) => !FINAL.includes(status))?.status ?? (isWhole ? undefined : "QUEUED");
  if (open === undefined) return ["ERROR", "CANCELLED"].find((status) => tallies.some((each) => each.status === status)) ?? "DONE";
  // Of short jobs, one may have ended and the next not begun at any time that somebody looks.
  return hasBegun && WAITING.includes(open) ? "RUNNING" : open;
}

/** What a status is called; one that is not ours by its own text. */
export function statusWord(status: string): string {
  return (Object.hasOwn(FACES, status) ? FACES[status]?.word : undefined) ?? status;
}

/** How many of some jobs have each status. */
export function tally(jobs: Iterable<JobInfo>): Tally[] {
  const counts = new Map<string, number>();
  for (const job of jobs) counts.set(job.status, (counts.get(job.status) ?? 0) + 1);
  return ranked(Object.fromEntries(counts));
}

/** The place where a traceback's last frame points, as `scan.py:41 in energy`; null if it names none. */
export function lastFrame(traceback: string | null): string | null {
  if (!traceback) return null;
  const frames = [...traceback.slice(-20_000).matchAll(/^\s*File "([^"\n]{1,1000})", line (\d+)(?:, in ([^\n]{1,200}))?$/gm)];
  const last = frames.at(-1);
  if (!last) return null;
  const path = last[1] ?? "";
  // Notebooks name the files of their cells by numbers or letters, which tell a reader nothing.
  const file = /ipykernel_\d+[\\/]\d+\.py$|__marimo__cell_\w+\.py$/.test(path) ? "cell" : (path.split(/[\\/]/).at(-1) ?? "");
  return last[3] ? `${file}:${last[2]} in ${last[3]}` : `${file}:${last[2]}`;
}
