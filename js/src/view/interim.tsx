import type { VNode } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { JobState } from "../model/deck";
import { clock, count } from "../model/time";
import { useElementId, useEnv } from "./env";
import { JumpToNewest, LINE_HEIGHT } from "./lines";
import { Message } from "./message";
import { rowText } from "./row-text";
import { SeenContext, useChanges } from "./seen";
import { useFollow, useVirtualRows } from "./virtual";

/** Rows that the list can scroll through. Browsers limit an element's height; older messages are fetched by programs. */
const MOST_ROWS = 200_000;
/** The first row moves on in steps, so that the list does not move under the reader at every message. */
const STEP = 50_000;

function firstRow(all: number): number {
  return all <= MOST_ROWS ? 1 : 1 + Math.ceil((all - MOST_ROWS) / STEP) * STEP;
}

interface Keys {
  step: number;
  to?: "first" | "last";
}

const KEYS: Readonly<Record<string, Keys>> = {
  ArrowUp: { step: -1 },
  ArrowDown: { step: 1 },
  PageUp: { step: -6 },
  PageDown: { step: 6 },
  Home: { step: 0, to: "first" },
  End: { step: 0, to: "last" },
};

/** A job's interim results, newest at the end. One of them can be opened, by click or with the arrow keys. */
export function InterimLog({ job }: { job: JobState }): VNode {
  const { session, trans } = useEnv();
  const id = useElementId();
  const isSeen = useContext(SeenContext);
  useChanges(job.messageChanges);
  const all = Math.max(job.info.peek().interim_count, job.messages.last);
  const first = firstRow(all);
  const { ref, items, total, scrollTo } = useVirtualRows(all - first + 1, LINE_HEIGHT);
  const [follows, follow] = useFollow(ref, all);
  const [chosen, choose] = useState<number | null>(null);
  const from = first + (items[0]?.index ?? 0);
  const to = first + (items.at(-1)?.index ?? -1);
  const isMissing = to >= from && job.messages.hole(from, to, 1) !== null;
  useEffect(() => {
    if (isSeen && isMissing) void session.loadMessages(job.id, from, to);
  }, [isSeen, isMissing, from, to, session, job]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && chosen !== null) choose(null);
    const key = KEYS[event.key];
    if (!key || all === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const at = key.to === "first" ? first : key.to === "last" ? all : (chosen ?? all + 1) + key.step;
    const next = Math.min(all, Math.max(first, at));
    choose(next);
    scrollTo(next - first);
  };
  if (all === 0) return <p class="jobdeck-empty">{trans.__("No interim results yet.")}</p>;
  return (
    <div class="jobdeck-scroll">
      <div
        class="jobdeck-lines"
        ref={ref}
        tabIndex={0}
        role="listbox"
        aria-label={trans.__("Interim results")}
        {...(chosen === null ? {} : { "aria-activedescendant": `${id}-${chosen}` })}
        onKeyDown={onKeyDown}
      >
        <div class="jobdeck-tall" style={{ height: `${total}px` }}>
          {items.map((item) => {
            const seq = first + item.index;
            const row = job.messages.get(seq);
            return (
              <div
                key={seq}
                id={`${id}-${seq}`}
                class="jobdeck-row jobdeck-message"
                role="option"
                aria-selected={seq === chosen}
                aria-posinset={seq}
                aria-setsize={all}
                data-seq={seq}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={() => choose(seq === chosen ? null : seq)}
              >
                {row ? (
                  <>
                    <time class="jobdeck-quiet">{clock(row[1])}</time>
                    <bdi>{rowText(row)}</bdi>
                  </>
                ) : (
                  <span class="jobdeck-quiet">{trans.__("{n} …", { n: count(seq) })}</span>
                )}
              </div>
            );
          })}
        </div>
      </div>
      {follows ? null : <JumpToNewest onClick={follow} />}
      {chosen === null ? null : <Message key={chosen} job={job} seq={chosen} onClose={() => choose(null)} />}
    </div>
  );
}
