import type { Axis } from "../../model/spread";
import { face, type Face } from "../../model/status";
import type { DeckRow } from "../../model/row";
import { colorsOf } from "../colors";

const VARIABLES = ["ink", "quiet", "line", "paper", "brand", "success-ink", "error-ink", "warn-ink"] as const;
type Variable = (typeof VARIABLES)[number];

const TONES: Readonly<Record<Face["tone"], Variable>> = {
  waiting: "quiet",
  running: "brand",
  stopping: "warn-ink",
  done: "brand",
  error: "error-ink",
  cancelled: "warn-ink",
  unknown: "quiet",
};

/** From the least number to the greatest: colours that stand out from white and from black. */
const RAMP: readonly [number, number, number][] = [
  [44, 123, 182],
  [120, 94, 178],
  [196, 78, 130],
  [226, 110, 43],
];

export interface Palette {
  colors: Record<Variable, string>;
  font: string;
}

export function paletteOf(root: HTMLElement): Palette {
  return { colors: colorsOf(root, VARIABLES), font: `10px ${getComputedStyle(root).fontFamily || "sans-serif"}` };
}

/** The colour of a number's share of all. */
export function tintOf(share: number): string {
  const at = Math.min(1, Math.max(0, share)) * (RAMP.length - 1);
  const [low, high] = [RAMP[Math.floor(at)] ?? RAMP[0], RAMP[Math.ceil(at)] ?? RAMP[0]];
  const parts = (low ?? [0, 0, 0]).map((part, i) => Math.round(part + ((high?.[i] ?? part) - part) * (at % 1)));
  return `rgb(${parts.join(" ")})`;
}

/** A mark of the picture: a place, or a height on each axis. */
export interface Shape {
  row: DeckRow;
  points: readonly ({ x: number; y: number } | null)[];
  tint: number | null;
}

export interface AxisLine {
  axis: Axis;
  /** Where it is: the pixel of its line, and those of its low and high ends. */
  at: number;
  from: number;
  to: number;
  isVertical: boolean;
}

export interface Scene {
  width: number;
  height: number;
  axes: readonly AxisLine[];
  shapes: readonly Shape[];
  /** Lines through the axes rather than single points. */
  areLines: boolean;
  current: number | null;
}

export function paint(canvas: HTMLCanvasElement, scene: Scene, { colors, font }: Palette): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const sharp = window.devicePixelRatio || 1;
  canvas.width = Math.round(scene.width * sharp);
  canvas.height = Math.round(scene.height * sharp);
  context.setTransform(sharp, 0, 0, sharp, 0, 0);
  context.fillStyle = colors.paper;
  context.fillRect(0, 0, scene.width, scene.height);
  context.font = font;
  for (const line of scene.axes) paintAxis(context, line, scene, colors);
  const colour = ({ row, tint }: Shape): string => (tint === null ? colors[TONES[face(row).tone]] : tintOf(tint));
  const many = scene.shapes.length > 400;
  context.globalAlpha = scene.areLines ? (many ? 0.35 : 0.7) : 1;
  scene.shapes.forEach((shape, i) => {
    if (i !== scene.current) paintShape(context, shape, colour(shape), scene.areLines, false, colors);
  });
  context.globalAlpha = 1;
  // Lines run across the axes: their words stay readable above them.
  for (const line of scene.axes) paintTexts(context, line, scene, colors);
  const current = scene.current === null ? undefined : scene.shapes[scene.current];
  if (current) paintShape(context, current, scene.areLines ? colors.ink : colour(current), scene.areLines, true, colors);
}

type Context = CanvasRenderingContext2D;

function paintAxis(context: Context, line: AxisLine, scene: Scene, colors: Palette["colors"]): void {
  const { axis, at, from, to, isVertical } = line;
  context.lineWidth = 1;
  axis.ticks.forEach((_tick, i) => {
    const place = placeOf(line, i);
    context.strokeStyle = colors.line;
    context.beginPath();
    if (!isVertical) {
      context.moveTo(place, 8);
      context.lineTo(place, at);
    } else if (scene.areLines) {
      context.moveTo(at - 3, place);
      context.lineTo(at, place);
    } else {
      context.moveTo(at, place);
      context.lineTo(scene.width - 8, place);
    }
    context.stroke();
  });
  if (!scene.areLines) return;
  context.strokeStyle = colors.quiet;
  context.beginPath();
  context.moveTo(at + 0.5, to);
  context.lineTo(at + 0.5, from);
  context.stroke();
}

function paintTexts(context: Context, line: AxisLine, scene: Scene, colors: Palette["colors"]): void {
  const { axis, at, isVertical } = line;
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeStyle = colors.paper;
  const write = (text: string, x: number, y: number): void => {
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  };
  context.fillStyle = colors.quiet;
  context.textAlign = isVertical ? "right" : "center";
  context.textBaseline = isVertical ? "middle" : "top";
  axis.ticks.forEach((tick, i) => {
    const place = placeOf(line, i);
    write(tickText(tick), isVertical ? at - 5 : place, isVertical ? place : at + 4);
  });
  if (!scene.areLines) return;
  context.fillStyle = colors.ink;
  context.textAlign = at < 60 ? "left" : at > scene.width - 60 ? "right" : "center";
  context.textBaseline = "top";
  write(cut(axis.name), at, 2);
}

/** Where one of an axis's marks is. */
function placeOf({ axis, from, to }: AxisLine, i: number): number {
  return Math.round(from + ((to - from) * i) / Math.max(1, axis.ticks.length - 1)) + 0.5;
}

function cut(name: string): string {
  return name.length > 22 ? `${name.slice(0, 21)}…` : name;
}

function tickText(value: number): string {
  const size = Math.abs(value);
  if (value !== 0 && (size >= 1e6 || size < 1e-4)) return value.toExponential(1);
  return Number.isInteger(value) ? value.toLocaleString("en-US") : String(value);
}

function paintShape(context: Context, { points }: Shape, color: string, isLine: boolean, isCurrent: boolean, colors: Palette["colors"]): void {
  if (isLine) {
    context.strokeStyle = color;
    context.lineWidth = isCurrent ? 2.5 : 1.2;
    context.beginPath();
    let isDown = false;
    for (const point of points) {
      if (!point) isDown = false;
      else if (isDown) context.lineTo(point.x, point.y);
      else {
        context.moveTo(point.x, point.y);
        isDown = true;
      }
    }
    context.stroke();
    return;
  }
  for (const point of points) {
    if (!point) continue;
    context.fillStyle = color;
    context.beginPath();
    context.arc(point.x, point.y, isCurrent ? 5 : 3.2, 0, 7);
    context.fill();
    if (!isCurrent) continue;
    context.strokeStyle = colors.ink;
    context.lineWidth = 1.5;
    context.stroke();
  }
}
