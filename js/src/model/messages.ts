import type { MessageRow } from "./wire";

const PAGE = 100;
/** Rows kept, at most: the newest and those looked at last; the others can be fetched again. */
const KEPT_PAGES = 80;

/** Where messages are missing: `start < seq <= stop`. */
export interface Hole {
  start: number;
  stop: number;
}

/** A bounded window on a job's messages. Rows are addressed by their number, from 1; holes are filled by range. */
export class MessageWindow {
  private readonly pages = new Map<number, (MessageRow | undefined)[]>();
  private newest = 0;

  /** The highest message number that was ever seen. */
  get last(): number {
    return this.newest;
  }

  /** Take rows in, in any order; a row that is already there is replaced unless the old one is whole and the new cut. */
  add(rows: readonly MessageRow[]): void {
    for (const row of rows) {
      const page = this.page(row[0], true);
      const slot = (row[0] - 1) % PAGE;
      const old = page?.[slot];
      if (page && !(old && row[3] !== undefined && old[3] === undefined)) page[slot] = row;
      if (row[0] > this.newest) this.newest = row[0];
    }
    this.evict();
  }

  get(seq: number): MessageRow | undefined {
    return this.page(seq, false)?.[(seq - 1) % PAGE];
  }

  /** All rows held, in order. */
  rows(): MessageRow[] {
    return [...this.pages.keys()]
      .sort((a, b) => a - b)
      .flatMap((key) => (this.pages.get(key) ?? []).filter((row): row is MessageRow => row !== undefined));
  }

  /** The first hole among the messages `first` to `last`, at most `limit` long. */
  hole(first: number, last: number, limit: number): Hole | null {
    for (let seq = Math.max(1, first); seq <= last; seq += 1) {
      if (this.get(seq)) continue;
      let stop = seq;
      while (stop < last && stop - seq + 1 < limit && !this.get(stop + 1)) stop += 1;
      return { start: seq - 1, stop };
    }
    return null;
  }

  private page(seq: number, create: boolean): (MessageRow | undefined)[] | undefined {
    const key = Math.floor((seq - 1) / PAGE);
    let page = this.pages.get(key);
    if (page) this.pages.delete(key);
    else if (create) page = [];
    if (page) this.pages.set(key, page);
    return page;
  }

  private evict(): void {
    const newest = Math.floor((this.newest - 1) / PAGE);
    for (const key of this.pages.keys()) {
      if (this.pages.size <= KEPT_PAGES) return;
      if (key < newest - 2) this.pages.delete(key);
    }
  }
}
