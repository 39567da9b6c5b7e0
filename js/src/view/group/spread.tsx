import type { RefObject, VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { DeckRow } from "../../model/row";
import { axisOf, namesOf, nearest, nearestLine, numberOf, shareOf, type Axis, type Names } from "../../model/spread";
import { face } from "../../model/status";
import { count } from "../../model/time";
import type { Translation } from "../../model/translation";
import { useElementId, usePlace } from "../env";
import { fileName, saveBlob } from "../files";
import { Pointed } from "../pointed";
import { themeChanges } from "../theme";
import { useWidth } from "../width";
import { paint, paletteOf, tintOf, type AxisLine, type Scene, type Shape } from "./spread-paint";

const HEIGHT = 260;
const USUAL_WIDTH = 600;
const MARGIN = { left: 52, right: 14, top: 8, bottom: 20, names: 18 };
/** Pixels from the pointer within which a job is meant. */
const NEAR = 14;
/** Axes of parallel coordinates. */
const MOST_AXES = 8;
const LONGEST = 60;
/** What colours tell where they tell no number. */
const STATUS = "";

interface Props {
  rows: readonly DeckRow[];
  /** What a file is called after. */
  name: string;
  onOpen: (id: string) => void;
}

/** Results of many jobs against what they were given: as points over two numbers, or as lines through all of them. */
export function Spread({ rows, name, onOpen }: Props): VNode {
  const { trans } = usePlace();
  const names = useMemo(() => namesOf(rows), [rows]);
  const all = [...names.inputs, ...names.results];
  const [wish, setWish] = useState<{ x?: string; y?: string; tint?: string }>({});
  const [areLines, setLines] = useState(false);
  const x = pick(wish.x, all, names.inputs[0] ?? all[0]);
  const y = pick(wish.y, all, names.results.find((each) => each !== x) ?? all.find((each) => each !== x));
  const tint = wish.tint === STATUS ? STATUS : pick(wish.tint, all, areLines ? y : (names.inputs.find((each) => each !== x) ?? STATUS));
  const canvas = useRef<HTMLCanvasElement>(null);
  if (x === undefined || y === undefined) return <p class="jobdeck-empty">{trans.__("These jobs have no two numbers to compare yet.")}</p>;
  const choose = (key: "x" | "y" | "tint") => (value: string): void => setWish({ ...wish, [key]: value });
  return (
    <figure class="jobdeck-spread" aria-label={trans.__("Results of {n} jobs", { n: count(rows.length) })}>
      <div class="jobdeck-result-tools" data-lm-suppress-shortcuts="true">
        {areLines ? null : (
          <>
            <Choice label={trans.__("Plot")} value={y} names={names} onChoose={choose("y")} />
            <Choice label={trans.__("over")} value={x} names={names} onChoose={choose("x")} />
          </>
        )}
        <Choice label={trans.__("colour")} value={tint ?? STATUS} names={names} none={trans.__("status")} onChoose={choose("tint")} />
        <span class="jobdeck-grow" />
        <button type="button" class="jobdeck-button" aria-pressed={areLines} onClick={() => setLines(!areLines)}>
          {trans.__("Parallel")}
        </button>
        <button
          type="button"
          class="jobdeck-button"
          aria-label={trans.__("Save as PNG")}
          title={trans.__("Save as PNG")}
          onClick={() => canvas.current?.toBlob((blob) => blob && saveBlob(fileName(name, "png"), blob), "image/png")}
        >
          {trans.__("PNG")}
        </button>
      </div>
      <Picture
        rows={rows}
        axes={areLines ? [...names.inputs, ...names.results].slice(0, MOST_AXES) : [x, y]}
        areLines={areLines}
        tint={tint || null}
        canvas={canvas}
        onOpen={onOpen}
      />
    </figure>
  );
}

function pick(wish: string | undefined, all: readonly string[], otherwise: string | undefined): string | undefined {
  return wish !== undefined && all.includes(wish) ? wish : otherwise;
}

interface ChoiceProps {
  label: string;
  value: string;
  names: Names;
  /** What there is beside the numbers. */
  none?: string;
  onChoose: (name: string) => void;
}

function Choice({ label, value, names, none, onChoose }: ChoiceProps): VNode {
  const { trans } = usePlace();
  const id = useElementId();
  const options = (title: string, some: readonly string[]): VNode | null =>
    some.length === 0 ? null : (
      <optgroup label={title}>
        {some.map((name) => (
          <option key={name} value={name}>
            {name.slice(0, LONGEST)}
          </option>
        ))}
      </optgroup>
    );
  return (
    <>
      <label for={id}>{label}</label>
      <select
        id={id}
        class="jobdeck-select"
        value={value}
        onChange={(event) => onChoose(event.currentTarget.value)}
        // A notebook has its own meaning for letters and arrows.
        onKeyDown={(event) => event.stopPropagation()}
      >
        {none === undefined ? null : <option value={STATUS}>{none}</option>}
        {options(trans.__("Inputs"), names.inputs)}
        {options(trans.__("Results"), names.results)}
      </select>
    </>
  );
}

interface PictureProps {
  rows: readonly DeckRow[];
  axes: readonly string[];
  areLines: boolean;
  tint: string | null;
  canvas: RefObject<HTMLCanvasElement | null>;
  onOpen: (id: string) => void;
}

function Picture({ rows, axes: names, areLines, tint, canvas, onOpen }: PictureProps): VNode {
  const { trans } = usePlace();
  const root = useRef<HTMLDivElement>(null);
  const width = useWidth(root) || USUAL_WIDTH;
  const theme = themeChanges.value;
  // A job rather than a place, which may be another job's by the next moment.
  const [at, setAt] = useState<string | null>(null);
  const key = names.join("\n");
  const scale = useMemo(() => (tint === null ? null : axisOf(tint, rows, 5)), [tint, rows]);
  const scene = useMemo(
    () => sceneOf(rows, key.split("\n").map((name, i) => axisOf(name, rows, !areLines && i === 0 ? 9 : 6)), areLines, scale, width),
    [rows, key, areLines, scale, width],
  );
  const place = at === null ? -1 : scene.shapes.findIndex(({ row }) => row.id === at);
  const current = place < 0 ? null : place;
  const row = current === null ? null : (scene.shapes[current]?.row ?? null);
  useEffect(() => {
    // Colours come with the theme's style sheet, which is applied by the next frame.
    const frame = requestAnimationFrame(() => {
      if (canvas.current && root.current) paint(canvas.current, { ...scene, current }, paletteOf(root.current));
    });
    return () => cancelAnimationFrame(frame);
  }, [canvas, scene, current, theme]);
  const idAt = (place: number | null): string | null => (place === null ? null : (scene.shapes[place]?.row.id ?? null));
  const find = (event: MouseEvent): number | null => {
    const box = canvas.current?.getBoundingClientRect();
    return box ? shapeAt(scene, event.clientX - box.left, event.clientY - box.top) : null;
  };
  const missing = rows.length - scene.shapes.length;
  const idle = [
    trans.__("{n} jobs", { n: count(scene.shapes.length) }),
    missing > 0 ? trans.__("{n} without these numbers", { n: count(missing) }) : null,
  ];
  const words = row ? wordsOf(row, [...names, ...(tint === null || names.includes(tint) ? [] : [tint])], trans) : "";
  const label = areLines ? trans.__("Parallel coordinates of {names}", { names: names.join(", ").slice(0, 200) }) : trans.__("{y} over {x}", { y: (names[1] ?? "").slice(0, 100), x: (names[0] ?? "").slice(0, 100) });
  return (
    <div class="jobdeck-drawing jobdeck-spread-drawing">
      <Pointed
        root={root}
        label={label}
        hint={trans.__("Arrow left and right go from job to job, Enter opens one.")}
        size={scene.shapes.length}
        at={current}
        onPoint={(to) => setAt(idAt(to))}
        find={find}
        onOpen={(to) => {
          const opened = idAt(to);
          if (opened !== null) onOpen(opened);
        }}
        words={words}
        idle={idle.filter(Boolean).join(" · ")}
        mark={row?.id}
        below={
          <>
            {areLines ? null : (
              <p class="jobdeck-x-name">
                <bdi>{(names[0] ?? "").slice(0, 100)}</bdi>
              </p>
            )}
            {scale ? <Scale axis={scale} /> : null}
          </>
        }
      >
        <canvas ref={canvas} role="img" aria-label={label} data-points={scene.shapes.length} style={{ width: `${width}px`, height: `${HEIGHT}px` }} />
      </Pointed>
    </div>
  );
}

/** Which number has which colour. */
function Scale({ axis }: { axis: Axis }): VNode {
  const stops = [0, 1 / 3, 2 / 3, 1].map((share) => `${tintOf(share)} ${Math.round(share * 100)}%`);
  return (
    <p class="jobdeck-scale jobdeck-number" dir="ltr">
      <span>{number(axis.low)}</span>
      <span class="jobdeck-ramp" style={{ background: `linear-gradient(90deg, ${stops.join(", ")})` }} />
      <span>{number(axis.high)}</span>
      <bdi>{axis.name.slice(0, LONGEST)}</bdi>
    </p>
  );
}

function sceneOf(rows: readonly DeckRow[], axes: readonly Axis[], areLines: boolean, scale: Axis | null, width: number): Omit<Scene, "current"> {
  const bottom = areLines ? HEIGHT - 10 : HEIGHT - MARGIN.bottom;
  const top = areLines ? MARGIN.top + MARGIN.names : MARGIN.top;
  const right = width - MARGIN.right;
  const step = (right - MARGIN.left) / Math.max(1, axes.length - 1);
  const y = (axis: Axis, value: number): number => bottom + (top - bottom) * shareOf(axis, value);
  const tintOfRow = (row: DeckRow): number | null => {
    const value = scale ? numberOf(row, scale.name) : null;
    return value === null || !scale ? null : shareOf(scale, value);
  };
  const shapes: Shape[] = [];
  for (const row of rows) {
    const values = axes.map((axis) => numberOf(row, axis.name));
    if (areLines) {
      if (values.filter((value) => value !== null).length < 2) continue;
      const points = axes.map((axis, i) => {
        const value = values[i] ?? null;
        return value === null ? null : { x: MARGIN.left + i * step, y: y(axis, value) };
      });
      shapes.push({ row, points, tint: tintOfRow(row) });
      continue;
    }
    const [across, up] = axes;
    const [first, second] = values;
    if (!across || !up || first === null || first === undefined || second === null || second === undefined) continue;
    const x = MARGIN.left + (right - MARGIN.left) * shareOf(across, first);
    shapes.push({ row, points: [{ x, y: y(up, second) }], tint: tintOfRow(row) });
  }
  shapes.sort((a, b) => (a.points[0]?.x ?? 0) - (b.points[0]?.x ?? 0) || (b.points[0]?.y ?? 0) - (a.points[0]?.y ?? 0));
  const lines: AxisLine[] = areLines
    ? axes.map((axis, i) => ({ axis, at: MARGIN.left + i * step, from: bottom, to: top, isVertical: true }))
    : axes.slice(0, 2).map((axis, i) =>
        i === 0
          ? { axis, at: bottom, from: MARGIN.left, to: right, isVertical: false }
          : { axis, at: MARGIN.left, from: bottom, to: top, isVertical: true },
      );
  return { width, height: HEIGHT, axes: lines, shapes, areLines };
}

/** Which of the shapes is at a place. */
function shapeAt({ shapes, areLines, axes }: Omit<Scene, "current">, x: number, y: number): number | null {
  if (!areLines) return nearest(shapes.map(({ row, points, tint }) => ({ row, x: points[0]?.x ?? 0, y: points[0]?.y ?? 0, tint })), x, y, NEAR);
  return nearestLine(shapes.map(({ points }) => points.map((point) => point?.y ?? null)), axes.map(({ at }) => at), x, y, NEAR);
}

function number(value: number): string {
  // Minus zero is written as zero.
  return Number.isInteger(value) ? (value + 0).toLocaleString("en-US") : String(Number(value.toPrecision(5)));
}

/** `scan[12] · Done · r 0.62 · energy -1.1371`. */
function wordsOf(row: DeckRow, names: readonly string[], trans: Translation): string {
  const numbers = names.map((name) => {
    const value = numberOf(row, name);
    return `${name.slice(0, LONGEST)} ${value === null ? "–" : number(value)}`;
  });
  return [row.name.slice(0, LONGEST), trans.gettext(face(row).word), ...numbers].join(" · ");
}
