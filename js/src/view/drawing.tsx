import type { RefObject, VNode } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { layOut, markAt, shortLabel, type Layout, type Mark } from "../model/marks";
import { usePlace } from "./env";
import { Pointed } from "./pointed";
import { useWidth } from "./width";

const HEIGHT = 190;
/** Before it is laid out. */
const USUAL_WIDTH = 480;
/** Bars this far apart have their values above them. */
const ROOMY = 38;
const CAP = 3;

interface Props {
  marks: readonly Mark[];
  isBars: boolean;
  /** What a screen reader says that this is. */
  label: string;
  /** A mark in words. */
  wordsOf: (mark: Mark) => string;
  /** Where nothing is pointed at. */
  idle: string;
  /** The drawing itself, for who wants to save it. */
  drawing: RefObject<SVGSVGElement | null>;
}

/** Marks side by side over their labels. */
export function Drawing({ marks, isBars, label, wordsOf, idle, drawing }: Props): VNode {
  const { trans } = usePlace();
  const root = useRef<HTMLDivElement>(null);
  const room = useWidth(root) || USUAL_WIDTH;
  const layout = useMemo(() => layOut(marks, isBars, room, HEIGHT), [marks, isBars, room]);
  const { width } = layout;
  const [at, setAt] = useState<number | null>(null);
  const mark = at === null ? undefined : marks[at];
  const current = mark === undefined ? undefined : (at ?? undefined);
  return (
    <div class="jobdeck-drawing">
      <Pointed
        root={root}
        label={label}
        hint={trans.__("Arrow left and right go from one to the next; the button Table shows the numbers.")}
        size={marks.length}
        at={current ?? null}
        onPoint={setAt}
        find={(event) => markAt(layout, marks.length, event.clientX - (drawing.current?.getBoundingClientRect().left ?? 0))}
        words={mark ? wordsOf(mark) : ""}
        idle={idle}
        mark={current}
      >
        <svg ref={drawing} role="img" aria-label={label} width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} direction="ltr">
          <Axes marks={marks} layout={layout} />
          {isBars ? <Bars marks={marks} layout={layout} current={current} /> : <Points marks={marks} layout={layout} current={current} />}
        </svg>
      </Pointed>
    </div>
  );
}

interface Parts {
  marks: readonly Mark[];
  layout: Layout;
}

function Axes({ marks, layout }: Parts): VNode {
  const { left, bottom, pitch, ticks, areTurned, every, width } = layout;
  return (
    <>
      {ticks.map(({ value, y, text }) => (
        <g key={value}>
          <line class={value === 0 ? "jobdeck-base" : "jobdeck-line"} x1={left} x2={width} y1={y} y2={y} />
          <text class="jobdeck-mark-text" x={left - 5} y={y + 3} text-anchor="end">
            {text}
          </text>
        </g>
      ))}
      {marks.map(({ label }, i) => {
        if (i % every !== 0) return null;
        const x = left + (i + 0.5) * pitch;
        const place = areTurned ? { transform: `translate(${x + 3} ${bottom + 6}) rotate(-90)`, "text-anchor": "end" as const } : { x, y: bottom + 14, "text-anchor": "middle" as const };
        return (
          <text key={label} class="jobdeck-mark-text jobdeck-mark-name" {...place}>
            {shortLabel(label)}
          </text>
        );
      })}
    </>
  );
}

type MarkParts = Parts & { current: number | undefined };

function Bars({ marks, layout, current }: MarkParts): VNode {
  const { left, pitch, y } = layout;
  const width = Math.max(1, Math.min(48, pitch * 0.74));
  return (
    <>
      {marks.map(({ label, value }, i) => {
        if (value === null) return null;
        const middle = left + (i + 0.5) * pitch;
        const [top, bottom] = [y(Math.max(0, value)), y(Math.min(0, value))];
        return (
          <g key={label}>
            <rect
              class={`jobdeck-mark${i === current ? " jobdeck-is-current" : ""}`}
              x={middle - width / 2}
              y={top}
              width={width}
              height={Math.max(bottom - top, value === 0 ? 0 : 1)}
            />
            {pitch >= ROOMY ? (
              <text class="jobdeck-mark-text" x={middle} y={top - 3} text-anchor="middle">
                {short(value)}
              </text>
            ) : null}
          </g>
        );
      })}
    </>
  );
}

function Points({ marks, layout, current }: MarkParts): VNode {
  const { left, pitch, y } = layout;
  return (
    <>
      {marks.map(({ label, value, error }, i) => {
        if (value === null) return null;
        const x = left + (i + 0.5) * pitch;
        const cap = Math.min(CAP, pitch / 3);
        return (
          <g key={label}>
            {error === null ? null : (
              <path
                class="jobdeck-error-bar"
                d={`M${x - cap} ${y(value - error)}H${x + cap}M${x} ${y(value - error)}V${y(value + error)}M${x - cap} ${y(value + error)}H${x + cap}`}
              />
            )}
            <circle class={`jobdeck-mark${i === current ? " jobdeck-is-current" : ""}`} cx={x} cy={y(value)} r={i === current ? 4.5 : 3} />
          </g>
        );
      })}
    </>
  );
}

function short(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString("en-US") : String(Number(value.toPrecision(3)));
}
