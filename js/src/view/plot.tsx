import type { VNode } from "preact";
import { useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { JobState } from "../model/deck";
import { drawnAtFirst, type Table } from "../model/series";
import { useEnv } from "./env";
import { SeenContext, useChanges } from "./seen";
import { themeChanges } from "./theme";

/** Milliseconds between two paints of a plot: it shows a trend, and a hundred of them share a page. */
const PACE = 200;
/** Strokes tell series apart where colours do not. */
const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3]];

/** The table of a job's numbers, at most every {@link PACE} milliseconds. */
function useTable(job: JobState): Table {
  const { session } = useEnv();
  const isSeen = useContext(SeenContext);
  const changes = useChanges(job.messageChanges);
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
  useEffect(() => {
    if (isSeen) void session.loadHistory(job.id);
  }, [isSeen, session, job]);
  // `paced` stands for the series, which is changed in place.
  // eslint-disable-next-line react-hooks/exhaustive-deps -- see above
  return useMemo(() => job.series.table(), [job, paced]);
}

interface Drawn {
  plot: uPlot;
  destroy: () => void;
}

function draw(root: HTMLElement, table: Table, isOn: readonly boolean[]): Drawn {
  // A canvas understands plain colours alone: an element that has the variable as its colour tells what it comes to.
  const probe = document.createElement("i");
  root.append(probe);
  const color = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const quiet = color("--jobdeck-quiet");
  const grid = { stroke: color("--jobdeck-line"), width: 1 };
  const font = `10px ${getComputedStyle(root).fontFamily || "sans-serif"}`;
  const axis = { stroke: quiet, font, grid, ticks: { show: false } };
  const plot = new uPlot(
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
        ...table.names.map((name, i) => ({
          label: name,
          show: isOn[i] ?? true,
          stroke: color(`--jobdeck-series-${i % DASHES.length}`),
          width: 1.5,
          dash: DASHES[i % DASHES.length] ?? [],
          points: { show: table.x.length < 2 },
        })),
      ],
    },
    [table.x, ...table.columns],
    root,
  );
  probe.remove();
  return { plot, destroy: () => plot.destroy() };
}

function labelSize(self: uPlot, values: string[] | null, font: string): number {
  const before = self.ctx.font;
  self.ctx.font = font;
  const widest = Math.max(0, ...(values ?? []).map((value) => self.ctx.measureText(value).width));
  // uPlot remembers the font that it set, larger on fine screens, and would go on with this one.
  self.ctx.font = before;
  return Math.ceil(widest) + 8;
}

/** The numbers in a job's interim results, as they come. */
export function Plot({ job }: { job: JobState }): VNode | null {
  const { t } = useEnv();
  const table = useTable(job);
  const [wishes, setWishes] = useState<Readonly<Record<string, boolean>>>({});
  const root = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | null>(null);
  const theme = themeChanges.value;
  const isOn = drawnAtFirst(table).map((on, i) => wishes[table.names[i] ?? ""] ?? on);
  const shape = JSON.stringify([table.names, isOn, table.x.length < 2]);
  const shown = useRef({ table, isOn });
  shown.current = { table, isOn };

  useEffect(() => {
    const element = root.current;
    if (!element) return undefined;
    // Colours come with the theme's style sheet, which is applied by the next frame.
    const frame = requestAnimationFrame(() => {
      drawn.current = draw(element, shown.current.table, shown.current.isOn);
    });
    const resized = new ResizeObserver(() => {
      const width = Math.max(60, element.clientWidth);
      const height = Math.max(40, element.clientHeight);
      const { plot } = drawn.current ?? {};
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
    drawn.current?.plot.setData([table.x, ...table.columns]);
  }, [table]);

  if (table.names.length === 0) return null;
  return (
    <figure class="jobdeck-plot" aria-label={t("Plot of {names}", { names: table.names.join(", ").slice(0, 200) })}>
      <div class="jobdeck-legend">
        {table.names.map((name, i) => (
          <button
            key={name}
            type="button"
            class="jobdeck-series"
            aria-pressed={isOn[i] ?? true}
            title={name.slice(0, 200)}
            onClick={() => setWishes({ ...wishes, [name]: !isOn[i] })}
          >
            {table.names.length > 1 ? (
              <svg class="jobdeck-key" viewBox="0 0 16 4" aria-hidden="true">
                <path
                  d="M0 2H16"
                  style={{ stroke: `var(--jobdeck-series-${i % DASHES.length})` }}
                  stroke-dasharray={(DASHES[i % DASHES.length] ?? []).join(" ")}
                />
              </svg>
            ) : null}
            <bdi>{name}</bdi>
          </button>
        ))}
      </div>
      <div class="jobdeck-canvas" ref={root} data-points={table.x.length} />
      <figcaption class="jobdeck-x-name">
        <bdi>{table.xName ?? t("message")}</bdi>
      </figcaption>
    </figure>
  );
}
