import { face } from "../../model/status";
import { momentOf } from "../../model/ticks";
import { duration, elapsed, took } from "../../model/time";
import type { Summary } from "../../model/timeline";
import type { JobInfo } from "../../model/wire";
import type { Translation } from "../../model/translation";

const LONGEST_NAME = 300;

/** What is to be said of a job: its name, its status and engine, when it began, how long it took. */
export function wordsOf(job: JobInfo, now: number, trans: Translation): string[] {
  const where = job.backend ? `${job.engine} · ${job.backend}` : job.engine;
  const ran = elapsed(job, now);
  const lines = [job.name.slice(0, LONGEST_NAME), `${trans.gettext(face(job).word)} · ${where}`];
  if (job.started === null || ran === null) {
    const waited = duration((job.ended ?? now) - job.created);
    const time = momentOf(job.created, now);
    return [...lines, trans.__("created {time}", { time }), job.final ? trans.__("never ran") : trans.__("waiting for {time}", { time: waited })];
  }
  const time = job.final ? took(ran) : duration(ran);
  return [
    ...lines,
    trans.__("started {time}", { time: momentOf(job.started, now) }),
    job.final ? trans.__("took {time}", { time }) : trans.__("{time} elapsed", { time }),
  ];
}

/** What the whole picture shows. */
export function summaryWords({ jobs, running, waiting, peak }: Summary, trans: Translation): string {
  const count = (n: number): string => n.toLocaleString("en-US");
  const parts = [
    jobs === 1 ? trans.__("1 job") : trans.__("{n} jobs", { n: count(jobs) }),
    running > 0 ? trans.__("{n} running", { n: count(running) }) : null,
    waiting > 0 ? trans.__("{n} waiting", { n: count(waiting) }) : null,
    peak > 1 ? trans.__("up to {n} at a time", { n: count(peak) }) : null,
  ];
  return parts.filter((part) => part !== null).join(" · ");
}
