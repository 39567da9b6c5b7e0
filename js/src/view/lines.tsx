import type { CSSProperties, VNode } from "preact";
import { useContext, useEffect } from "preact/hooks";
import type { Line, Style } from "../model/ansi";
import type { JobState } from "../model/deck";
import { count } from "../model/time";
import { useEnv } from "./env";
import { SeenContext, useChanges } from "./seen";
import { useFollow, useVirtualRows } from "./virtual";

export const LINE_HEIGHT = 18;

/** Output of one piece, in the colours that the job asked for. */
function look(style: Style): CSSProperties {
  const color = (value: number | string): string => (typeof value === "number" ? `var(--jobdeck-ansi-${value})` : value);
  const decorations = [style.underline && "underline", style.strike && "line-through"].filter(Boolean).join(" ");
  return {
    ...(style.color !== undefined && { color: color(style.color) }),
    ...(style.background !== undefined && { backgroundColor: color(style.background) }),
    ...(style.bold && { fontWeight: "bold" }),
    ...(style.dim && { opacity: 0.7 }),
    ...(style.italic && { fontStyle: "italic" }),
    ...(decorations && { textDecoration: decorations }),
  };
}

function OutputLine({ line }: { line: Line }): VNode {
  const { trans } = useEnv();
  return (
    <>
      <bdi>
        {line.spans.map((span, i) => (
          <span key={i} style={look(span.style)}>
            {span.text}
          </span>
        ))}
      </bdi>
      {line.cut > 0 ? <em class="jobdeck-quiet"> {trans.__("… {n} more characters on this line", { n: count(line.cut) })}</em> : null}
    </>
  );
}

/** A job's stdout and stderr. */
export function Output({ job }: { job: JobState }): VNode {
  const { session, trans } = useEnv();
  const isSeen = useContext(SeenContext);
  useChanges(job.logChanges);
  const terminal = job.output.lines((missing) => trans.__("… {n} bytes are not shown …", { n: count(missing) }));
  const lines = terminal.count;
  const { ref, items, total } = useVirtualRows(lines, LINE_HEIGHT);
  const [follows, follow] = useFollow(ref, lines);
  const hasEarlier = job.log.gap(1) !== null && session.capabilities.value.live;
  useEffect(() => {
    // A job that wrote more than its snapshot holds: one screenful more than nothing is worth a request.
    if (isSeen && lines < 6 && hasEarlier) void session.loadLog(job.id);
  }, [isSeen, lines, hasEarlier, session, job]);
  return (
    <div class="jobdeck-scroll">
      {hasEarlier ? (
        <button type="button" class="jobdeck-button jobdeck-earlier" onClick={() => void session.loadLog(job.id)}>
          {trans.__("Load earlier output")}
        </button>
      ) : null}
      {lines === 0 ? (
        <p class="jobdeck-empty">{trans.__("Nothing was printed yet.")}</p>
      ) : (
        <div class="jobdeck-lines" ref={ref} tabIndex={0} role="region" aria-label={trans.__("Output")}>
          <div class="jobdeck-tall" style={{ height: `${total}px` }}>
            {items.map((item) => {
              const line = terminal.line(item.index);
              return line ? (
                <div
                  key={line.number}
                  class="jobdeck-row jobdeck-output"
                  data-line={line.number}
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  <OutputLine line={line} />
                </div>
              ) : null;
            })}
          </div>
        </div>
      )}
      {follows ? null : <JumpToNewest onClick={follow} />}
    </div>
  );
}

export function JumpToNewest({ onClick }: { onClick: () => void }): VNode {
  const { trans } = useEnv();
  return (
    <button type="button" class="jobdeck-button jobdeck-jump" onClick={onClick}>
      ↓ {trans.__("Jump to newest")}
    </button>
  );
}
