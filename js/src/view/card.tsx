import type { RefObject, VNode } from "preact";
import { useContext, useRef, useState } from "preact/hooks";
import type { JobState } from "../model/deck";
import { opensByItself } from "../model/status";
import { Actions } from "./actions";
import { Details, ErrorView } from "./details";
import { useElementId, useEnv } from "./env";
import { Latest } from "./latest";
import { recall, remember } from "./memory";
import { Badge, ProgressBar } from "./parts";
import { SeenContext, useInfo, useSeen } from "./seen";
import { Tags } from "./tags";
import { summary } from "./summary";

const LONGEST_NAME = 300;

function Summary({ job }: { job: JobState }): VNode {
  const { session, trans, tick } = useEnv();
  const info = useInfo(job);
  const isSeen = useContext(SeenContext);
  // Only a job that is under way has words that change by themselves.
  if (!info.final && isSeen) void tick.value;
  return <span class="jobdeck-quiet jobdeck-number jobdeck-summary">{summary(info, session.deck.now(), job.progressSeen, trans)}</span>;
}

/** One job: a line, and below it, while it is open, what came of it so far. */
export function Card(props: Pick<Props, "job" | "opens" | "stays">): VNode {
  const root = useRef<HTMLElement>(null);
  const isSeen = useSeen(root);
  return (
    <SeenContext.Provider value={isSeen}>
      <CardOf {...props} root={root} />
    </SeenContext.Provider>
  );
}

interface Props {
  job: JobState;
  /** Whether it opens by itself while its job runs. */
  opens?: boolean;
  /** It is open and cannot be closed. */
  stays?: boolean;
  root: RefObject<HTMLElement | null>;
}

function CardOf({ job, opens = true, stays = false, root }: Props): VNode {
  const { trans } = useEnv();
  const id = useElementId();
  const info = useInfo(job);
  const [wish, setWish] = useState(() => recall(job.id).isOpen ?? null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const isOpen = stays || (wish ?? (opens && opensByItself(info)));
  const toggle = (open: boolean): void => {
    if (stays) return;
    setWish(open);
    remember(job.id, { isOpen: open });
  };
  const clickedLine = (event: MouseEvent): void => {
    const target = event.target as Element;
    if (target.closest("button, a, [role=menu]")) return;
    // A person who marks text with the mouse wants the text.
    if (getSelection()?.toString()) return;
    toggle(!isOpen);
  };
  return (
    <article
      ref={root}
      class={`jobdeck-card${isOpen ? " jobdeck-is-open" : ""}${stays ? " jobdeck-stays" : ""}`}
      aria-label={info.name.slice(0, LONGEST_NAME)}
      data-job-id={info.id}
      data-status={info.status}
      data-interim={info.interim_count}
    >
      <div class="jobdeck-head" onClick={clickedLine}>
        <Badge job={info} />
        {stays ? (
          <strong class="jobdeck-name" title={info.name.slice(0, LONGEST_NAME)}>
            <bdi>{info.name.slice(0, LONGEST_NAME)}</bdi>
          </strong>
        ) : (
          <button
            type="button"
            class="jobdeck-name"
            title={info.name.slice(0, LONGEST_NAME)}
            aria-expanded={isOpen}
            aria-controls={id}
            onClick={() => toggle(!isOpen)}
          >
            <bdi>{info.name.slice(0, LONGEST_NAME)}</bdi>
          </button>
        )}
        <span class="jobdeck-tags">
          <Tags tags={info.tags} of="job" />
        </span>
        {isOpen || info.final ? null : <Latest job={job} />}
        <Summary job={job} />
        <Actions job={job} isOpen={isOpen} onRefused={setRefusal} />
      </div>
      {refusal ? (
        <p class="jobdeck-refusal" role="alert">
          <bdi>{trans.gettext(refusal).slice(0, 1_000)}</bdi>
          <button type="button" class="jobdeck-button" aria-label={trans.__("Dismiss")} onClick={() => setRefusal(null)}>
            ✕
          </button>
        </p>
      ) : null}
      {job.isGone.value ? <p class="jobdeck-note">{trans.__("This job is no longer in its store.")}</p> : null}
      {isOpen ? <ProgressBar job={info} /> : null}
      {info.error ? <ErrorView error={info.error} /> : null}
      <div id={id}>
        {isOpen ? (
          <Details
            // A job that has started has something else to show first than one that waits.
            key={info.started === null ? "waiting" : "started"}
            job={job}
            // Somebody who reads in a card that opened by itself does not want it closed when the job ends.
            onTouched={() => {
              if (wish === null) toggle(true);
            }}
          />
        ) : null}
      </div>
    </article>
  );
}
