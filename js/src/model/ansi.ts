import { createAnsiSequenceParser, type Color } from "ansi-sequence-parser";

/** Characters of one line that are kept; what is longer is cut, with a note. */
export const LONGEST_LINE = 4_000;
/** Lines that are kept. */
export const MOST_LINES = 20_000;

/** How a piece of output looks. Colours are a palette number from 0 to 15, or a CSS colour. */
export interface Style {
  color?: number | string;
  background?: number | string;
  bold?: true;
  dim?: true;
  italic?: true;
  underline?: true;
  strike?: true;
}

export interface Span {
  text: string;
  style: Style;
}

export interface Line {
  /** A number that stays with the line while older ones are dropped. */
  number: number;
  spans: Span[];
  /** Characters that were cut from its end. */
  cut: number;
}

const PLAIN: Style = {};
const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

// Everything but colours that a terminal would act on; colours are left for the parser. An incomplete sequence at the
// end of a chunk is held back.
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROL = /\r?\n|[\r\b\x07\x0e\x0f\x7f]|\x1b\[[0-?]*[ -/]*[@-ln-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^[\]]/g;
// eslint-disable-next-line no-control-regex -- as above
const UNFINISHED = /(?:\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]{0,2000})?|\r)$/;

function table(index: number): number | string {
  if (index < 16) return index;
  if (index >= 232) return grey(8 + (index - 232) * 10);
  const level = (n: number): number => (n === 0 ? 0 : 55 + n * 40);
  const n = index - 16;
  return `rgb(${level(Math.floor(n / 36))} ${level(Math.floor(n / 6) % 6)} ${level(n % 6)})`;
}

function grey(level: number): string {
  return `rgb(${level} ${level} ${level})`;
}

function css(color: Color): number | string {
  if (color.type === "rgb") return `rgb(${color.rgb.map((part) => Math.min(255, Math.max(0, part))).join(" ")})`;
  if (color.type === "table") return table(Math.min(255, Math.max(0, Math.floor(color.index) || 0)));
  const bright = color.name.startsWith("bright");
  const name = bright ? color.name.slice(6).toLowerCase() : color.name;
  return NAMES.indexOf(name) + (bright ? 8 : 0);
}

/** A line being written: spans side by side, and how long they are together. */
class Cells {
  spans: Span[] = [];
  length = 0;
  cut = 0;

  write(column: number, text: string, style: Style): void {
    const room = LONGEST_LINE - column;
    const kept = text.length > room ? text.slice(0, Math.max(0, room)) : text;
    if (column + text.length > LONGEST_LINE) {
      this.cut = Math.max(this.cut, column + text.length - Math.max(LONGEST_LINE, this.length));
    }
    if (kept === "") return;
    if (column > this.length) this.append(" ".repeat(column - this.length), PLAIN);
    if (column === this.length) {
      this.append(kept, style);
      return;
    }
    const after = this.from(column + kept.length);
    this.erase(column);
    this.append(kept, style);
    for (const span of after) this.append(span.text, span.style);
  }

  erase(column: number): void {
    if (column >= this.length) return;
    let at = 0;
    const kept: Span[] = [];
    for (const span of this.spans) {
      if (at >= column) break;
      kept.push(at + span.text.length > column ? { text: span.text.slice(0, column - at), style: span.style } : span);
      at += span.text.length;
    }
    this.spans = kept;
    this.length = column;
    this.cut = 0;
  }

  private from(column: number): Span[] {
    let at = 0;
    const found: Span[] = [];
    for (const span of this.spans) {
      if (at + span.text.length > column) found.push({ text: span.text.slice(Math.max(0, column - at)), style: span.style });
      at += span.text.length;
    }
    return found;
  }

  private append(text: string, style: Style): void {
    const last = this.spans.at(-1);
    if (last && last.style === style) this.spans[this.spans.length - 1] = { text: last.text + text, style };
    else this.spans.push({ text, style });
    this.length += text.length;
  }
}

/** Turns captured output into lines as a terminal would show them: colours, overwritten lines, cursor up. */
export class Terminal {
  private parser = createAnsiSequenceParser();
  private cells: Cells[] = [new Cells()];
  private dropped = 0;
  private row = 0;
  private column = 0;
  private held = "";
  private style: Style = PLAIN;
  private styleKey = "";

  /** Lines so far. The last one is empty after a newline and is left out then. */
  get count(): number {
    const last = this.cells.at(-1);
    return this.cells.length - (last && last.length === 0 && last.cut === 0 ? 1 : 0);
  }

  line(index: number): Line | undefined {
    const cells = this.cells[index];
    return cells && { number: this.dropped + index + 1, spans: cells.spans, cut: cells.cut };
  }

  /** All lines as text, without colours. */
  text(): string {
    return this.cells.map((cells) => cells.spans.map((span) => span.text).join("")).join("\n");
  }

  feed(chunk: string): void {
    let text = this.held + chunk;
    const unfinished = UNFINISHED.exec(text);
    this.held = unfinished ? unfinished[0] : "";
    if (unfinished) text = text.slice(0, unfinished.index);
    let at = 0;
    for (const match of text.matchAll(CONTROL)) {
      this.print(text.slice(at, match.index));
      this.act(match[0]);
      at = match.index + match[0].length;
    }
    this.print(text.slice(at));
    this.trim();
  }

  private print(text: string): void {
    if (text === "") return;
    for (const token of this.parser.parse(text)) {
      const style: Style = {};
      const reversed = token.decorations.has("reverse");
      const color = reversed ? token.background : token.foreground;
      const background = reversed ? token.foreground : token.background;
      if (color) style.color = css(color);
      if (background) style.background = css(background);
      else if (reversed) style.background = 7;
      if (reversed && !color) style.color = 0;
      if (token.decorations.has("bold")) style.bold = true;
      if (token.decorations.has("dim")) style.dim = true;
      if (token.decorations.has("italic")) style.italic = true;
      if (token.decorations.has("underline")) style.underline = true;
      if (token.decorations.has("strikethrough")) style.strike = true;
      this.cells[this.row]?.write(this.column, token.value, this.same(style));
      this.column += token.value.length;
    }
  }

  /** The style object in use where the new one looks the same, so that spans of one look join. */
  private same(style: Style): Style {
    const key = JSON.stringify(style);
    if (key !== this.styleKey) {
      this.styleKey = key;
      this.style = key === "{}" ? PLAIN : style;
    }
    return this.style;
  }

  private act(control: string): void {
    const code = control.at(-1) ?? "";
    if (code === "\n") this.down();
    else if (control === "\r") this.column = 0;
    else if (control === "\b") this.column = Math.max(0, this.column - 1);
    else if (control.startsWith("\x1b[")) this.move(code, control.slice(2, -1));
  }

  private down(): void {
    this.row += 1;
    this.column = 0;
    if (this.row === this.cells.length) this.cells.push(new Cells());
  }

  private move(code: string, parameters: string): void {
    const first = Number.parseInt(parameters, 10);
    const n = Number.isFinite(first) && first > 0 ? Math.min(first, LONGEST_LINE) : 1;
    const line = this.cells[this.row];
    if (code === "A") this.row = Math.max(0, this.row - n);
    else if (code === "B") this.row = Math.min(this.cells.length - 1, this.row + n);
    else if (code === "C") this.column += n;
    else if (code === "D") this.column = Math.max(0, this.column - n);
    else if (code === "G") this.column = n - 1;
    else if (code === "K" && parameters === "2") line?.erase(0);
    else if (code === "K" && parameters !== "1") line?.erase(this.column);
  }

  private trim(): void {
    // In blocks, since dropping lines costs as much as there are lines.
    const extra = this.cells.length - MOST_LINES;
    if (extra < MOST_LINES / 10) return;
    this.cells.splice(0, extra);
    this.dropped += extra;
    this.row = Math.max(0, this.row - extra);
  }
}
