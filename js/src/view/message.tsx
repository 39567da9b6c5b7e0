import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { displayText, isPicture, pictureUrl } from "../model/body";
import type { JobState } from "../model/deck";
import { clock, count } from "../model/time";
import { CopyButton } from "./actions";
import { useEnv } from "./env";
import { useChanges } from "./seen";

/** Characters of a message that are shown when it is opened; copying gives them all. */
const LONGEST = 100_000;

/** The whole body of a message: fetched where it came cut, null while it is not there. */
function useWhole(job: JobState, seq: number): { body: string | null; isWhole: boolean } {
  const { session } = useEnv();
  const [fetched, setFetched] = useState<string | null>(null);
  useChanges(job.messageChanges);
  const row = job.messages.get(seq);
  const isCut = row?.[3] !== undefined;
  const isLive = session.capabilities.value.live;
  useEffect(() => {
    let isWanted = isCut && isLive;
    if (isWanted) {
      void session.loadBody(job.id, seq).then((body) => {
        if (isWanted) setFetched(body);
      });
    }
    return () => {
      isWanted = false;
    };
  }, [session, job, seq, isCut, isLive]);
  return { body: fetched ?? row?.[2] ?? null, isWhole: !isCut || fetched !== null };
}

/** One message, opened. */
export function Message({ job, seq, onClose }: { job: JobState; seq: number; onClose: () => void }): VNode {
  const { trans } = useEnv();
  const { body, isWhole } = useWhole(job, seq);
  const time = job.messages.get(seq)?.[1];
  const text = body === null ? "" : displayText(body);
  const missing = Math.max(0, text.length - LONGEST);
  return (
    <section class="jobdeck-opened" aria-label={trans.__("Message {n}", { n: seq })}>
      <header class="jobdeck-opened-head">
        <span class="jobdeck-quiet jobdeck-number">
          {trans.__("Message {n}", { n: count(seq) })}
          {time === undefined ? "" : ` · ${clock(time)}`}
        </span>
        <span class="jobdeck-grow" />
        <CopyButton label={trans.__("Copy")} text={() => text} />
        <button type="button" class="jobdeck-button" aria-label={trans.__("Close message")} onClick={onClose}>
          ✕
        </button>
      </header>
      {body !== null && isWhole && isPicture(body) ? <PictureOf body={body} /> : null}
      {body === null ? (
        <p class="jobdeck-empty">{trans.__("Loading…")}</p>
      ) : isPicture(body) ? null : (
        <pre class="jobdeck-text">
          <bdi>{text.slice(0, LONGEST)}</bdi>
        </pre>
      )}
      {missing > 0 ? <p class="jobdeck-empty">{trans.__("… {n} more characters", { n: count(missing) })}</p> : null}
      {isWhole ? null : <p class="jobdeck-empty">{trans.__("The beginning of a longer message.")}</p>}
    </section>
  );
}

function PictureOf({ body }: { body: string }): VNode {
  const { trans } = useEnv();
  const url = pictureUrl(body);
  if (url === null) return <p class="jobdeck-empty">{trans.__("This picture is too large to be shown, or is no PNG.")}</p>;
  return <img class="jobdeck-picture" src={url} alt={trans.__("Picture published by the job")} />;
}

/** The newest picture that a job published. */
export function Picture({ job }: { job: JobState }): VNode | null {
  const seq = job.picture.value;
  return seq === 0 ? null : <NewestPicture key={seq} job={job} seq={seq} />;
}

function NewestPicture({ job, seq }: { job: JobState; seq: number }): VNode {
  const { trans } = useEnv();
  const { body, isWhole } = useWhole(job, seq);
  if (body === null || !isWhole) return <p class="jobdeck-empty">{trans.__("Loading…")}</p>;
  return <PictureOf body={body} />;
}
