import type { LogChunk } from "./wire";

/** Bytes of captured output kept, at most; older ones can be fetched again. */
const KEPT = 2_000_000;

/** A bounded window on a job's captured output: chunks in order, with gaps where the job was faster than the feed. */
export class LogWindow {
  private held: LogChunk[] = [];
  /** Counts changes other than output appended to the end, after which a terminal has to be fed anew. */
  revision = 0;

  get chunks(): readonly LogChunk[] {
    return this.held;
  }

  /** The byte after the last one held. */
  get end(): number {
    return this.held.at(-1)?.end ?? 0;
  }

  /** The newest gap, as bytes `start <= b < stop`, at most `limit` long and next to what follows it. */
  gap(limit: number): { start: number; stop: number } | null {
    for (let i = this.held.length - 1; i >= 0; i -= 1) {
      const stop = this.held[i]?.start ?? 0;
      const start = this.held[i - 1]?.end ?? 0;
      if (stop > start) return { start: Math.max(start, stop - limit), stop };
    }
    return null;
  }

  add(chunk: LogChunk): void {
    if (chunk.end <= chunk.start) return;
    const last = this.held.at(-1);
    if (!last || chunk.start > last.end) {
      if (last) this.revision += 1;
      this.held.push(chunk);
    } else if (chunk.start === last.end) {
      this.held[this.held.length - 1] = { start: last.start, end: chunk.end, text: last.text + chunk.text };
    } else {
      this.insert(chunk);
    }
    this.trim();
  }

  /** Put a chunk where it belongs: of what overlaps, the part that is held already wins. */
  private insert(chunk: LogChunk): void {
    const pieces: LogChunk[] = [];
    let from = chunk.start;
    for (const held of this.held) {
      if (held.end <= from) continue;
      if (held.start >= chunk.end) break;
      if (held.start > from) pieces.push(slice(chunk, from, held.start));
      from = Math.max(from, held.end);
    }
    if (from < chunk.end) pieces.push(slice(chunk, from, chunk.end));
    if (pieces.length === 0) return;
    const tailOnly = pieces.length === 1 && pieces[0]?.start === this.end;
    const all = [...this.held, ...pieces].sort((a, b) => a.start - b.start);
    const joined: LogChunk[] = [];
    for (const piece of all) {
      const before = joined.at(-1);
      if (before && before.end === piece.start) {
        joined[joined.length - 1] = { start: before.start, end: piece.end, text: before.text + piece.text };
      } else {
        joined.push(piece);
      }
    }
    this.held = joined;
    if (!tailOnly) this.revision += 1;
  }

  private trim(): void {
    const floor = this.end - KEPT;
    // Twice the size before trimming, so that a steady stream does not feed its terminal anew at every chunk.
    if (floor - (this.held[0]?.start ?? 0) < KEPT) return;
    this.held = this.held.filter((chunk) => chunk.end > floor);
    const first = this.held[0];
    if (first && first.start < floor) this.held[0] = slice(first, floor, first.end);
    this.revision += 1;
  }
}

/** The bytes `start <= b < stop` of a chunk. Offsets count bytes of UTF-8, text counts UTF-16 units. */
function slice(chunk: LogChunk, start: number, stop: number): LogChunk {
  if (start === chunk.start && stop === chunk.end) return chunk;
  const data = new TextEncoder().encode(chunk.text);
  // Where bytes were replaced on decoding, the lengths differ: place the cut in proportion then.
  const scale = data.length / (chunk.end - chunk.start);
  const cut = data.subarray(Math.round((start - chunk.start) * scale), Math.round((stop - chunk.start) * scale));
  return { start, end: stop, text: new TextDecoder().decode(cut) };
}
