import { isStopping } from "../model/status";
import { count, duration, elapsed, left, ordinal, took } from "../model/time";
import type { JobInfo } from "../model/wire";
import type { Translate } from "./env";

/** The quiet words at the right of a card's line, as `57 / 100 · 0:12 elapsed · 0:09 left`. */
export function summary(job: JobInfo, now: number, progressSeen: number, t: Translate): string {
  return parts(job, now, progressSeen, t)
    .filter((part) => part !== null && part !== "")
    .join(" · ");
}

function parts(job: JobInfo, now: number, progressSeen: number, t: Translate): (string | null)[] {
  const ran = elapsed(job, now);
  const ranFor = ran === null ? null : job.final ? took(ran) : duration(ran);
  if (isStopping(job)) {
    const asked = job.cancel_asked === null ? null : t("asked {time} ago", { time: duration(now - job.cancel_asked) });
    return [asked, job.cancel_note];
  }
  const refused = job.cancel_state === "refused" || job.cancel_state === "unsupported" ? job.cancel_note : null;
  switch (job.status) {
    case "INITIALIZING":
      return [t("not submitted yet"), job.engine];
    case "QUEUED":
    case "VALIDATING":
      return [inLine(job.queue_place, t), where(job), refused];
    case "DONE":
      return [ranFor === null ? null : t("took {time}", { time: ranFor })];
    case "ERROR":
      return [ranFor === null ? t("failed before it started") : t("failed after {time}", { time: ranFor })];
    case "CANCELLED":
      return [ranFor === null ? t("cancelled before it started") : t("stopped after {time}", { time: ranFor })];
    default: {
      const remaining = left(job, now, progressSeen);
      return [
        progressWords(job, t),
        ranFor === null ? null : t("{time} elapsed", { time: ranFor }),
        remaining === null ? null : t("{time} left", { time: duration(remaining) }),
        refused,
      ];
    }
  }
}

/** A queue that is not jobdeck's may tell a place in words, such as `>2000`. */
function inLine(place: JobInfo["queue_place"], t: Translate): string | null {
  if (typeof place === "string") return t("place in line: {place}", { place });
  return place === null ? null : t("{nth} in line", { nth: ordinal(place) });
}

function where(job: JobInfo): string {
  return job.backend ? `${job.engine} · ${job.backend}` : job.engine;
}

function progressWords(job: JobInfo, t: Translate): string | null {
  if (!job.progress) return null;
  const done = count(job.progress.done);
  return job.progress.total === null ? t("{done} done", { done }) : `${done} / ${count(job.progress.total)}`;
}
