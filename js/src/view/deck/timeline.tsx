import type { RefObject, VNode } from "preact";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { barAt, extentOf, layOut, moved, pitchOf, recentOf, revealing, summaryOf, topOf, zoomed } from "../../model/timeline";
import type { Bar, Lanes, Span } from "../../model/timeline";
import type { JobInfo } from "../../model/wire";
import { useElementId, usePlace } from "../env";
import { useSeen } from "../seen";
import { themeChanges } from "../theme";
import { listen, type Moves } from "./gestures";
import { AXIS, heightOf, laneOf, paint, paletteOf, scale, yOf, type Palette, type Scene } from "./timeline-paint";
import { summaryWords, wordsOf } from "./timeline-words";

interface Props {
  rows: readonly JobInfo[];
  now: () => number;
  selected: ReadonlySet<string>;
  onOpen: (id: string) => void;
}

/** The stretch of time that is shown: one that somebody chose, or one that grows with the jobs. */
type View = Span | "recent" | "all";

/** Where the picture points: at a job, by the pointer or by the keyboard. */
interface Current {
  id: string;
  /** Where the pointer is; null for the keyboard. */
  x: number | null;
}

const ROOMY = { ran: 16, waited: 8 };
const ZOOM = 0.6;

function isSameTime(a: JobInfo, b: JobInfo | undefined): boolean {
  return a.id === b?.id && a.started === b.started && a.ended === b.ended && a.final === b.final && a.created === b.created;
}

/** Lanes for the rows. Rows that differ in other things than their times alone keep their lanes. */
function useLanes(rows: readonly JobInfo[]): Lanes<JobInfo> {
  const last = useRef<{ rows: readonly JobInfo[]; lanes: Lanes<JobInfo> } | null>(null);
  return useMemo(() => {
    const known = last.current;
    if (known?.rows.length === rows.length && rows.every((row, i) => isSameTime(row, known.rows[i]))) {
      const byId = new Map(rows.map((row) => [row.id, row]));
      for (const bar of known.lanes.bars as Bar<JobInfo>[]) bar.job = byId.get(bar.job.id) ?? bar.job;
      last.current = { rows, lanes: { ...known.lanes } };
    } else last.current = { rows, lanes: layOut(rows) };
    return last.current.lanes;
  }, [rows]);
}

function useSize(ref: RefObject<HTMLElement | null>): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const measure = (): void => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return size;
}

/** Calls `draw` by the next paint, however often it is asked to. */
function usePaint(draw: () => void): () => void {
  const latest = useRef(draw);
  latest.current = draw;
  const frame = useRef(0);
  useEffect(
    () => () => {
      cancelAnimationFrame(frame.current);
      frame.current = 0;
    },
    [],
  );
  return useCallback(() => {
    if (frame.current !== 0) return;
    frame.current = requestAnimationFrame(() => {
      frame.current = 0;
      latest.current();
    });
  }, []);
}

/** Who ran when: one bar a job, jobs that ran at one time below each other. */
export function Timeline(props: Props): VNode | null {
  // What measures and watches the picture begins when there is one.
  return props.rows.length === 0 ? null : <Picture {...props} />;
}

function Picture({ rows, now, selected, onOpen }: Props): VNode {
  const { trans, tick } = usePlace();
  const id = useElementId();
  const root = useRef<HTMLElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const palette = useRef<{ theme: number; palette: Palette } | null>(null);
  const isSeen = useSeen(root);
  const theme = themeChanges.value;
  const lanes = useLanes(rows);
  const [view, setView] = useState<View>("recent");
  const [current, setCurrent] = useState<Current | null>(null);
  const size = useSize(scroller);
  const pitch = pitchOf(lanes, size.height - AXIS);
  const bar = current ? (lanes.bars.find(({ job }) => job.id === current.id) ?? null) : null;
  // Words that tell how long something has gone on change by themselves.
  if (bar && !bar.job.final) void tick.value;

  const sceneNow = (): Scene => {
    const moment = now();
    const span = view === "recent" ? recentOf(lanes, moment) : view === "all" ? extentOf(lanes, moment) : view;
    const top = scroller.current?.scrollTop ?? 0;
    return { lanes, span, now: moment, pitch, top, ...size, selected, current: bar?.job.id ?? null };
  };
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const request = usePaint(() => {
    clearTimeout(timer.current);
    if (!canvas.current || !root.current || !isSeen || size.width === 0) return;
    if (palette.current?.theme !== theme) palette.current = { theme, palette: paletteOf(root.current) };
    const scene = sceneNow();
    paint(canvas.current, scene, palette.current.palette);
    if (scene.span.to < scene.now || lanes.bars.every(({ job }) => job.final)) return;
    // What goes on grows by a pixel at a time, or by seconds for those who want less to move.
    const least = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1_000 : 100;
    timer.current = setTimeout(request, Math.min(1_000, Math.max(least, 1_000 / scale(scene))));
  });
  useEffect(() => request());
  useEffect(() => () => clearTimeout(timer.current), []);

  const change = (next: (span: Span, extent: Span, scene: Scene) => Span): void => {
    const scene = sceneNow();
    setView(next(scene.span, extentOf(lanes, scene.now), scene));
  };
  const zoom = (factor: number, x = size.width / 2): void =>
    change((span, extent, scene) => zoomed(span, factor, span.from + x / scale(scene), extent));
  const pan = (pixels: number): void => change((span, extent, scene) => moved(span, -pixels / scale(scene), extent));
  const find = (x: number, y: number): Bar<JobInfo> | null => {
    if (y > size.height - AXIS) return null;
    const scene = sceneNow();
    const lane = lanes.lanes[laneOf(y, scene)] ?? [];
    return barAt(lane, scene.span.from + x / scale(scene), 4 / scale(scene), scene.now);
  };
  const go = (index: number): void => {
    const next = lanes.bars[Math.max(0, Math.min(lanes.bars.length - 1, index))];
    if (!next) return;
    setCurrent({ id: next.job.id, x: null });
    change((span, extent, scene) => revealing(span, next, scene.now, extent));
    const element = scroller.current;
    if (!element) return;
    const y = topOf(next.lane, lanes, pitch);
    const room = size.height - AXIS - 2 * pitch.ran;
    element.scrollTop = Math.max(y - room, Math.min(element.scrollTop, y));
  };

  const moves: Moves = {
    pan: (dx, dy) => {
      pan(dx);
      if (scroller.current) scroller.current.scrollTop -= dy;
    },
    zoom,
    hover: (x, y) => {
      const found = find(x, y);
      setCurrent(found ? { id: found.job.id, x } : null);
    },
    leave: () => setCurrent(null),
    press: (x, y) => {
      const found = find(x, y);
      if (found) onOpen(found.job.id);
    },
  };
  const latest = useRef(moves);
  latest.current = moves;
  useEffect(() => {
    const element = canvas.current;
    return element ? listen(element, latest) : undefined;
  }, []);

  const at = bar ? lanes.bars.indexOf(bar) : -1;
  const keys: Readonly<Record<string, () => void>> = {
    "+": () => zoom(ZOOM),
    "=": () => zoom(ZOOM),
    "-": () => zoom(1 / ZOOM),
    "0": () => setView("all"),
    ArrowLeft: () => pan(size.width / 8),
    ArrowRight: () => pan(-size.width / 8),
    ArrowUp: () => go(at < 0 ? lanes.bars.length - 1 : at - 1),
    ArrowDown: () => go(at < 0 ? 0 : at + 1),
    Home: () => go(0),
    End: () => go(lanes.bars.length - 1),
    ...(bar && { Enter: () => onOpen(bar.job.id), Escape: () => setCurrent(null) }),
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (!act) return;
    event.preventDefault();
    // A notebook has its own meaning for these keys.
    event.stopPropagation();
    act();
  };

  const summary = summaryWords(summaryOf(lanes), trans);
  const words = bar ? wordsOf(bar.job, now(), trans) : null;
  return (
    <section class="jobdeck-timeline" aria-label={trans.__("Timeline")} ref={root}>
      <div
        class="jobdeck-lanes"
        ref={scroller}
        dir="ltr"
        style={{ height: `${heightOf(lanes, ROOMY) + AXIS}px` }}
        tabIndex={0}
        role="application"
        aria-label={trans.__("Timeline of the jobs")}
        aria-describedby={id}
        onKeyDown={onKeyDown}
        onScroll={() => request()}
        onBlur={() => setCurrent(null)}
      >
        <div style={{ height: `${heightOf(lanes, pitch) + AXIS}px` }}>
          <canvas ref={canvas} role="img" aria-label={summary} style={{ height: `${size.height}px` }} />
        </div>
      </div>
      {bar && current && words ? <Tip bar={bar} x={current.x} scene={sceneNow()} words={words} /> : null}
      <div class="jobdeck-timeline-foot">
        <span class="jobdeck-quiet jobdeck-number">{summary}</span>
        <span class="jobdeck-grow" />
        <button type="button" class="jobdeck-button" aria-label={trans.__("Zoom out")} onClick={() => zoom(1 / ZOOM)}>
          −
        </button>
        <button type="button" class="jobdeck-button" aria-label={trans.__("Zoom in")} onClick={() => zoom(ZOOM)}>
          +
        </button>
        <button type="button" class="jobdeck-button" aria-pressed={view === "all"} onClick={() => setView("all")}>
          {trans.__("Show all")}
        </button>
      </div>
      <p class="jobdeck-aside" id={id}>
        {trans.__("Arrow up and down go from job to job, Enter opens one; plus and minus zoom, arrow left and right move, 0 shows all.")}
      </p>
      <p class="jobdeck-aside" aria-live="polite">
        {words && current?.x === null ? words.join(", ") : ""}
      </p>
    </section>
  );
}

/** What is to be known of the job that somebody points at. */
function Tip({ bar, x, scene, words }: { bar: Bar<JobInfo>; x: number | null; scene: Scene; words: readonly string[] }): VNode {
  const [name, ...rest] = words;
  const from = (Math.min(bar.start, bar.end, scene.now) - scene.span.from) * scale(scene);
  const left = Math.max(0, Math.min(scene.width - 40, x ?? from));
  const isLeft = left < scene.width / 2;
  const top = Math.min(scene.height, yOf(bar.lane, scene) + scene.pitch.ran);
  return (
    <div
      class="jobdeck-tip"
      aria-hidden="true"
      style={{ top: `${top}px`, ...(isLeft ? { left: `${left}px` } : { right: `${scene.width - left}px` }) }}
    >
      <b>
        <bdi>{name}</bdi>
      </b>
      {rest.map((line) => (
        <span key={line}>
          <bdi>{line}</bdi>
        </span>
      ))}
    </div>
  );
}
