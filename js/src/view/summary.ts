import { isStopping } from "../model/status";
import { count, duration, elapsed, left, ordinal, took } from "../model/time";
import type { JobInfo } from "../model/wire";
import type { Translation } from "../model/translation";

/** The quiet words at the right of a card's line, as `57 / 100 · 0:12 elapsed · 0:09 left`. */
export function summary(job: JobInfo, now: number, progressSeen: number, trans: Translation): string {
  return parts(job, now, progressSeen, trans)
    .filter((part) => part !== null && part !== "")
    .join(" · ");
}

function parts(job: JobInfo, now: number, progressSeen: number, trans: Translation): (string | null)[] {
  const ran = elapsed(job, now);
  const ranFor = ran === null ? null : job.final ? took(ran) : duration(ran);
  if (isStopping(job)) {
    const asked = job.cancel_asked === null ? null : trans.__("asked {time} ago", { time: duration(now - job.cancel_asked) });
    return [asked, job.cancel_note];
  }
  const refused = job.cancel_state === "refused" || job.cancel_state === "unsupported" ? job.cancel_note : null;
  switch (job.status) {
    case "INITIALIZING":
      return [trans.__("not submitted yet"), job.engine];
    case "QUEUED":
    case "VALIDATING":
      return [inLine(job.queue_place, trans), where(job), refused];
    case "DONE":
      return [ranFor === null ? null : trans.__("took {time}", { time: ranFor })];
    case "ERROR":
      // Of what others run, nobody may know when it started.
      if (ranFor === null && job.watched) return [trans.__("failed")];
      return [ranFor === null ? trans.__("failed before it started") : trans.__("failed after {time}", { time: ranFor })];
    case "CANCELLED":
      if (ranFor === null && job.watched) return [trans.__("cancelled")];
      return [ranFor === null ? trans.__("cancelled before it started") : trans.__("stopped after {time}", { time: ranFor })];
    default: {
      const remaining = left(job, now, progressSeen);
      return [
        progressWords(job, trans),
        ranFor === null ? null : trans.__("{time} elapsed", { time: ranFor }),
        remaining === null ? null : trans.__("{time} left", { time: duration(remaining) }),
        refused,
      ];
    }
  }
}

/** A queue that is not jobdeck's may tell a place in words, such as `>2000`. */
function inLine(place: JobInfo["queue_place"], trans: Translation): string | null {
  if (typeof place === "string") return trans.__("place in line: {place}", { place });
  return place === null ? null : trans.__("{nth} in line", { nth: ordinal(place, trans) });
}

function where(job: JobInfo): string {
  return job.backend ? `${job.engine} · ${job.backend}` : job.engine;
}

function progressWords(job: JobInfo, trans: Translation): string | null {
  if (!job.progress) return null;
  const done = count(job.progress.done);
  return job.progress.total === null ? trans.__("{done} done", { done }) : `${done} / ${count(job.progress.total)}`;
}
