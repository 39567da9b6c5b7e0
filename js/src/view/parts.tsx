import { face, type Stand } from "../model/status";
import { share } from "../model/time";
import type { JobInfo } from "../model/wire";
import { usePlace } from "./env";
import type { VNode } from "preact";

const SHAPES = { done: "✓", error: "✕", cancelled: "⊘", unknown: "?" } as const;

/** A job's status as a word and a shape. A quiet one among many does not speak up when it changes. */
export function Badge({ job, isQuiet = false }: { job: Stand; isQuiet?: boolean }): VNode {
  const { trans } = usePlace();
  const { word, tone } = face(job);
  const shape = tone in SHAPES ? SHAPES[tone as keyof typeof SHAPES] : "";
  return (
    <span class={`jobdeck-badge jobdeck-tone-${tone}`} {...(isQuiet ? {} : { role: "status", "aria-live": "polite" })}>
      <i class="jobdeck-shape" aria-hidden="true">
        {shape}
      </i>
      <bdi class="jobdeck-word">{trans.gettext(word)}</bdi>
    </span>
  );
}

/** How far a job is. Without a total the bar says only that something moves. */
export function ProgressBar({ job }: { job: JobInfo }): VNode | null {
  const { trans } = usePlace();
  if (!job.progress || job.final) return null;
  const part = share(job);
  const percent = part === null ? null : Math.round(part * 100);
  return (
    <div
      class="jobdeck-bar"
      role="progressbar"
      aria-label={trans.__("Progress")}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(percent === null ? {} : { "aria-valuenow": percent })}
      {...(job.progress.message ? { "aria-valuetext": job.progress.message } : {})}
    >
      {part === null ? (
        <div class="jobdeck-bar-moving" />
      ) : (
        <div class="jobdeck-bar-done" style={{ transform: `scaleX(${part.toFixed(4)})` }} />
      )}
    </div>
  );
}

/** Text from a job: its direction stays its own and its length does no harm. */
export function Text({ text, most = 2_000 }: { text: string; most?: number }): VNode {
  return <bdi>{text.length > most ? `${text.slice(0, most)}…` : text}</bdi>;
}
