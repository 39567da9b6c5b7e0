import type { VNode } from "preact";
import type { JobState } from "../model/deck";
import { briefText } from "./row-text";
import { useChanges } from "./seen";

/** The newest interim result of a job whose card is closed, so that a list of jobs is live without being opened. */
export function Latest({ job }: { job: JobState }): VNode | null {
  useChanges(job.messageChanges);
  const row = job.messages.get(job.messages.last);
  if (!row) return null;
  return (
    <span class="jobdeck-latest" data-latest={row[0]}>
      <bdi>{briefText(row)}</bdi>
    </span>
  );
}
