/** What the system that runs a job tells of it beside its status. */
import { count } from "./time";
import { marking as trans } from "./translation";
import type { JobInfo } from "./wire";

export interface Fact {
  name: string;
  /** What it is called, not yet translated; a name that is not known here is its own label. */
  label: string;
  value: string;
}

/** Labels of the facts that systems commonly tell, in the order in which they are shown. */
const LABELS: Readonly<Record<string, string>> = {
  status_text: trans.__("Status"),
  queue_place: trans.__("Queue position"),
  estimated_start: trans.__("Expected start"),
  estimated_usage: trans.__("Expected usage"),
  usage: trans.__("Usage"),
  circuits: trans.__("Circuits"),
  shots: trans.__("Shots"),
  precision: trans.__("Precision"),
  session: trans.__("Session"),
  id: trans.__("Job id"),
  after: trans.__("After"),
  result: trans.__("Result"),
};
/** Numbers that name something, and count nothing. */
const NAMES: ReadonlySet<string> = new Set(["id", "session"]);
const UNITS: Readonly<Record<string, string>> = { usage: " s", estimated_usage: " s" };

/** The facts of a job; of one that somebody else runs, with the system and the backend first. */
export function factsOf(job: JobInfo): Fact[] {
  const told: Record<string, string | number> = { ...(!job.final && job.queue_place !== null && { queue_place: job.queue_place }), ...job.facts };
  // Once it is over there is no queue.
  if (job.final || !job.watched) delete told.queue_place;
  const known = Object.keys(LABELS).filter((name) => Object.hasOwn(told, name));
  const others = Object.keys(told).filter((name) => !Object.hasOwn(LABELS, name));
  return [
    ...(job.watched ? [{ name: "system", label: trans.__("System"), value: job.engine }] : []),
    ...(job.backend === null || !job.watched ? [] : [{ name: "backend", label: trans.__("Backend"), value: job.backend }]),
    ...[...known, ...others].map((name) => ({
      name,
      label: (Object.hasOwn(LABELS, name) ? LABELS[name] : undefined) ?? name.replaceAll("_", " "),
      value: NAMES.has(name) ? String(told[name] ?? "") : text(told[name] ?? "", (Object.hasOwn(UNITS, name) ? UNITS[name] : undefined) ?? ""),
    })),
  ].filter(({ value }) => value !== "");
}

function text(value: string | number, unit: string): string {
  return typeof value === "number" ? `${count(value)}${unit}` : value;
}
