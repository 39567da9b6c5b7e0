import { face, type Face } from "../../model/status";
import { ticksOf } from "../../model/ticks";
import { firstAfter, laneAt, topOf, type Bar, type Lanes, type Pitch, type Span } from "../../model/timeline";
import type { JobInfo } from "../../model/wire";
import { colorsOf } from "../colors";

/** Pixels below the lanes for the axis. */
export const AXIS = 17;
/** Pixels above the first lane, for the outline of a bar. */
const HEADROOM = 3;
/** Bars with room for it have their name in them; more than so many would be slow and nobody reads them. */
const MOST_NAMES = 300;
const TONES: Readonly<Record<Face["tone"], Variable>> = {
  waiting: "quiet",
  running: "brand",
  stopping: "warn-ink",
  done: "success-ink",
  error: "error-ink",
  cancelled: "warn-ink",
  unknown: "quiet",
};
const VARIABLES = ["ink", "quiet", "line", "paper", "brand", "success-ink", "error-ink", "warn-ink"] as const;
type Variable = (typeof VARIABLES)[number];

/** The colours and the font of a theme. */
export interface Palette {
  colors: Record<Variable, string>;
  font: string;
}

export function paletteOf(root: HTMLElement): Palette {
  return { colors: colorsOf(root, VARIABLES), font: `10px ${getComputedStyle(root).fontFamily || "sans-serif"}` };
}

/** What is to be seen, in pixels of the page and seconds. */
export interface Scene {
  lanes: Lanes<JobInfo>;
  span: Span;
  now: number;
  pitch: Pitch;
  /** How far the lanes are scrolled. */
  top: number;
  width: number;
  height: number;
  selected: ReadonlySet<string>;
  /** Id of the job that the pointer or the keyboard is at. */
  current: string | null;
}

export function scale({ span, width }: Scene): number {
  return width / (span.to - span.from);
}

/** Where a bar is: its waiting part from `from` to `start`. A bar is at least a pixel wide. */
function edges(bar: Bar, scene: Scene): { from: number; start: number; end: number } {
  const x = (time: number): number => (Math.min(time, scene.now) - scene.span.from) * scale(scene);
  const end = x(bar.end);
  const start = Math.min(x(bar.start), end);
  // A canvas counts in single floats, which are too coarse for a bar of weeks that is looked at by the second.
  const clip = (at: number): number => Math.max(-9, Math.min(scene.width + 9, at));
  return { from: clip(Math.min(x(bar.from), start)), start: clip(start), end: clip(Math.max(end, start + 1)) };
}

export function yOf(lane: number, { lanes, pitch, top }: Scene): number {
  return HEADROOM + topOf(lane, lanes, pitch) - top;
}

export function laneOf(y: number, { lanes, pitch, top }: Scene): number {
  return laneAt(y + top - HEADROOM, lanes, pitch);
}

/** Pixels that all lanes take. */
export function heightOf(lanes: Lanes, pitch: Pitch): number {
  return HEADROOM + topOf(lanes.lanes.length, lanes, pitch);
}

export function paint(canvas: HTMLCanvasElement, scene: Scene, palette: Palette): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = scene;
  const ratio = devicePixelRatio || 1;
  const [fineWidth, fineHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  // A canvas that is given a size gets new memory, even if it is the same size.
  if (canvas.width !== fineWidth) canvas.width = fineWidth;
  if (canvas.height !== fineHeight) canvas.height = fineHeight;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = palette.font;
  paintAxis(context, scene, palette);
  context.save();
  context.beginPath();
  context.rect(0, 0, width, height - AXIS);
  context.clip();
  new BarPainter(context, scene, palette).paint();
  context.restore();
}

function paintAxis(context: CanvasRenderingContext2D, scene: Scene, { colors }: Palette): void {
  const bottom = scene.height - AXIS;
  let free = 2;
  context.textBaseline = "middle";
  for (const { time, label } of ticksOf(scene.span, 74 / scale(scene))) {
    const x = Math.round((time - scene.span.from) * scale(scene));
    context.fillStyle = colors.line;
    context.fillRect(x, 0, 1, bottom + 3);
    const wide = context.measureText(label).width;
    const left = Math.max(x - wide / 2, 2);
    if (left < free || left + wide > scene.width - 2) continue;
    context.fillStyle = colors.quiet;
    context.fillText(label, left, bottom + AXIS / 2 + 2);
    free = left + wide + 10;
  }
  context.fillStyle = colors.line;
  context.fillRect(0, bottom, scene.width, 1);
}

class BarPainter {
  private names = 0;
  private readonly hatches = new Map<string, CanvasPattern | string>();

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly scene: Scene,
    private readonly palette: Palette,
  ) {}

  paint(): void {
    const { scene } = this;
    const marked: Bar<JobInfo>[] = [];
    const last = laneOf(scene.height - AXIS, scene);
    for (let lane = Math.max(0, laneOf(0, scene)); lane <= last; lane += 1) {
      const bars = scene.lanes.lanes[lane] ?? [];
      let drawn = -Infinity;
      for (let i = Math.max(0, firstAfter(bars, scene.span.from) - 1); i < bars.length; i += 1) {
        const bar = bars[i];
        if (!bar || bar.from > scene.span.to) break;
        const edge = edges(bar, scene);
        if (scene.selected.has(bar.job.id) || bar.job.id === scene.current) marked.push(bar);
        // Of the bars in one pixel the first one is seen; a failed one is never hidden.
        if (edge.end <= drawn + 0.5 && bar.job.status !== "ERROR") continue;
        this.bar(bar, edge);
        drawn = edge.end;
      }
    }
    for (const bar of marked) this.outline(bar);
  }

  private thickness(lane: number): number {
    const { pitch, lanes } = this.scene;
    if (lane >= lanes.ran) return Math.max(2, pitch.waited - 3);
    return pitch.ran - (pitch.ran > 9 ? 4 : 2);
  }

  private bar(bar: Bar<JobInfo>, { from, start, end }: ReturnType<typeof edges>): void {
    const { context, scene, palette } = this;
    const { tone } = face(bar.job);
    const color = palette.colors[TONES[tone]];
    const y = yOf(bar.lane, scene);
    const high = this.thickness(bar.lane);
    if (start > from) {
      // It waits: a thin line of stripes.
      const thin = Math.min(high, 4);
      context.fillStyle = this.hatch(bar.job.started === null ? color : palette.colors.quiet);
      context.fillRect(from, y + (high - thin) / 2, start - from, thin);
    }
    if (bar.job.started === null && start >= end - 1) return;
    context.fillStyle = tone === "cancelled" ? this.hatch(color) : color;
    const wide = end - start;
    const point = bar.job.final || wide < 10 ? 0 : high / 2;
    if (point > 0) {
      // What goes on ends in a point.
      context.beginPath();
      context.moveTo(start, y);
      context.lineTo(end - point, y);
      context.lineTo(end, y + high / 2);
      context.lineTo(end - point, y + high);
      context.lineTo(start, y + high);
      context.fill();
    } else context.fillRect(start, y, wide, high);
    if (tone === "cancelled") {
      context.strokeStyle = color;
      context.lineWidth = 1;
      if (wide > 3) context.strokeRect(start + 0.5, y + 0.5, wide - 1, high - 1);
    } else if (tone === "error") {
      // A failure ends at a wall.
      context.fillRect(Math.max(start, end - 2), y - 2, 2, high + 4);
    }
    if (high >= 12 && tone !== "cancelled") this.name(bar.job.name, Math.max(0, start), end - point, y + high / 2);
  }

  private name(name: string, start: number, end: number, middle: number): void {
    const { context, palette } = this;
    const room = Math.floor((end - start - 10) / 6);
    if (room < 4 || (this.names += 1) > MOST_NAMES) return;
    context.save();
    context.beginPath();
    context.rect(start, middle - 9, end - start - 5, 18);
    context.clip();
    context.fillStyle = palette.colors.paper;
    const isWhole = context.measureText(name.slice(0, 2 * room)).width <= end - start - 10;
    context.fillText(isWhole ? name.slice(0, 2 * room) : `${name.slice(0, room - 1)}…`, start + 5, middle + 0.5);
    context.restore();
  }

  private outline(bar: Bar<JobInfo>): void {
    const { context, scene, palette } = this;
    const { from, start, end } = edges(bar, scene);
    const left = bar.job.started === null ? from : start;
    const isCurrent = bar.job.id === scene.current;
    context.strokeStyle = isCurrent ? palette.colors.brand : palette.colors.ink;
    context.lineWidth = isCurrent ? 2 : 1.5;
    context.strokeRect(left - 1.5, yOf(bar.lane, scene) - 1.5, Math.max(2, end - left) + 3, this.thickness(bar.lane) + 3);
  }

  /** Stripes of a colour. */
  private hatch(color: string): CanvasPattern | string {
    const known = this.hatches.get(color);
    if (known) return known;
    const tile = document.createElement("canvas");
    tile.width = tile.height = 4;
    const context = tile.getContext("2d");
    if (context) {
      context.fillStyle = color;
      for (let i = 0; i < 4; i += 1) context.fillRect(i, 3 - i, 1, 1);
    }
    const made = (context && this.context.createPattern(tile, "repeat")) ?? color;
    this.hatches.set(color, made);
    return made;
  }
}
