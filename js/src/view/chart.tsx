import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Cell } from "../model/series";
import { colorsOf } from "./colors";
import { themeChanges } from "./theme";

/** Milliseconds between two paints of a plot: it shows a trend, and a hundred of them share a page. */
const PACE = 200;
/** Strokes tell series apart where colours do not. */
const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3]];
const COLORS = DASHES.map((_, i) => `series-${i}`);

/** How a series is drawn: the name of a colour and lengths of strokes. */
interface Stroke {
  color: string;
  dash: number[];
}

/** A stroke of its own for each of 36 series. */
export function strokeOf(i: number): Stroke {
  const color = i % COLORS.length;
  const dash = (color + Math.floor(i / COLORS.length)) % DASHES.length;
  return { color: COLORS[color] ?? "ink", dash: DASHES[dash] ?? [] };
}

/** A sample of a series' stroke. */
export function Key({ stroke: { color, dash } }: { stroke: Stroke }): VNode {
  return (
    <svg class="jobdeck-key" viewBox="0 0 16 4" aria-hidden="true">
      <path d="M0 2H16" style={{ stroke: `var(--jobdeck-${color})` }} stroke-dasharray={dash.join(" ")} />
    </svg>
  );
}

/** A count of changes, at most every {@link PACE} milliseconds. */
export function usePaced(changes: number): number {
  const [paced, setPaced] = useState(changes);
  const last = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, PACE - (performance.now() - last.current));
    const timer = setTimeout(() => {
      last.current = performance.now();
      setPaced(changes);
    }, wait);
    return () => clearTimeout(timer);
  }, [changes]);
  return paced;
}

/** Data for a chart: `x` ascending, one column of the same length a series. */
interface Data {
  x: number[];
  columns: Cell[][];
}

function draw(root: HTMLElement, data: Data, isOn: readonly boolean[], onPoint: (index: number | null) => void): uPlot {
  const colors = colorsOf(root, ["quiet", "line", ...COLORS]);
  const grid = { stroke: colors.line ?? "", width: 1 };
  const font = `10px ${getComputedStyle(root).fontFamily || "sans-serif"}`;
  const axis = { stroke: colors.quiet ?? "", font, grid, ticks: { show: false } };
  return new uPlot(
    {
      width: Math.max(60, root.clientWidth),
      height: Math.max(40, root.clientHeight),
      legend: { show: false },
      padding: [6, 18, 0, 0],
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { x: { time: false } },
      axes: [
        { ...axis, size: 16, gap: 2, space: 50 },
        { ...axis, size: (self, values) => labelSize(self, values, font), gap: 3, space: (_self, _axis, _low, _high, height) => (height > 140 ? 36 : 16) },
      ],
      series: [
        {},
        ...data.columns.map((column, i) => ({
          show: isOn[i] ?? true,
          stroke: colors[strokeOf(i).color] ?? "",
          width: 1.5,
          dash: strokeOf(i).dash,
          points: { show: isAlone(column) },
        })),
      ],
      hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
    },
    [data.x, ...data.columns],
    root,
  );
}

/** A series of one point has no line. */
function isAlone(column: readonly Cell[]): boolean {
  const first = column.findIndex((value) => typeof value === "number");
  return !column.some((value, i) => i > first && typeof value === "number");
}

function labelSize(self: uPlot, values: string[] | null, font: string): number {
  const before = self.ctx.font;
  self.ctx.font = font;
  const widest = Math.max(0, ...(values ?? []).map((value) => self.ctx.measureText(value).width));
  // uPlot remembers the font that it set, larger on fine screens, and would go on with this one.
  self.ctx.font = before;
  return Math.ceil(widest) + 8;
}

interface Props {
  data: Data;
  isOn: readonly boolean[];
  /** Hears which point the pointer is at; null for none. */
  onPoint?: (index: number | null) => void;
}

/** A chart as large as the place that it is given. */
export function Chart({ data, isOn, onPoint }: Props): VNode {
  const root = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | null>(null);
  const theme = themeChanges.value;
  const shape = JSON.stringify([data.columns.map(isAlone), isOn]);
  const shown = useRef({ data, isOn, onPoint });
  shown.current = { data, isOn, onPoint };

  useEffect(() => {
    const element = root.current;
    if (!element) return undefined;
    // Colours come with the theme's style sheet, which is applied by the next frame.
    const frame = requestAnimationFrame(() => {
      drawn.current = draw(element, shown.current.data, shown.current.isOn, (index) => shown.current.onPoint?.(index));
    });
    const resized = new ResizeObserver(() => {
      const width = Math.max(60, element.clientWidth);
      const height = Math.max(40, element.clientHeight);
      const plot = drawn.current;
      if (plot && (plot.width !== width || plot.height !== height)) plot.setSize({ width, height });
    });
    resized.observe(element);
    return () => {
      cancelAnimationFrame(frame);
      resized.disconnect();
      drawn.current?.destroy();
      drawn.current = null;
    };
  }, [shape, theme]);

  useEffect(() => {
    drawn.current?.setData([data.x, ...data.columns]);
  }, [data]);

  return <div class="jobdeck-canvas" ref={root} data-points={data.x.length} />;
}
