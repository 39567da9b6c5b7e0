import { effect, signal, type ReadonlySignal } from "@preact/signals-core";
import type { DeckRow } from "./row";
import type { JobTable } from "./table";

/** What a row is sorted by; null for a row that has nothing there, which comes last either way. */
export type SortKey = (row: DeckRow, now: number) => number | string | null;

export interface SortBy {
  key: SortKey;
  descending: boolean;
  /** Whether keys change as time goes by. */
  dependsOnTime: boolean;
}

/** What a row has to be to be shown. */
export interface Filter {
  matches(row: DeckRow, now: number): boolean;
  readonly dependsOnTime: boolean;
}

interface Entry {
  id: string;
  number: number;
  key: number | string | null;
  isIn: boolean;
}

/**
 * Which jobs of a table are shown, and in which order. It does again what a change makes necessary and no more: a change
 * of a value that neither the filter nor the order looks at leaves everything as it is.
 */
export class Arrangement {
  private readonly entries = new Map<string, Entry>();
  /** All jobs in the order, also those that are not shown. */
  private sorted: Entry[] = [];
  private readonly shown = signal<readonly string[]>([]);
  private readonly held = signal(false);
  private isUnsorted = false;
  private isStale = false;
  /** Some of the sorted entries are of jobs that are gone. */
  private isThinned = false;
  private isHeld = false;
  private readonly stops: (() => void)[];

  constructor(
    private readonly table: JobTable,
    private filter: Filter,
    private by: SortBy,
  ) {
    for (const row of table.rows.peek()) this.put(row);
    this.stops = [
      table.onUpdate(({ changes, removed }) => {
        for (const { row } of changes) this.put(row);
        for (const row of removed) this.drop(row.id);
      }),
      // Once for all that came in together.
      effect(() => {
        void table.rows.value;
        this.settle();
      }),
    ];
  }

  /** Ids of the jobs that are shown, in their order. */
  get order(): ReadonlySignal<readonly string[]> {
    return this.shown;
  }

  /** Whether a new order waits for {@link release}. */
  get isWaiting(): ReadonlySignal<boolean> {
    return this.held;
  }

  has(id: string): boolean {
    return this.entries.get(id)?.isIn ?? false;
  }

  /** The jobs that are shown, as they are now. */
  rows(): DeckRow[] {
    return this.shown.peek().map((id) => this.table.row(id)).filter((row) => row !== undefined);
  }

  setFilter(filter: Filter): void {
    this.filter = filter;
    this.refresh(true);
  }

  setSort(by: SortBy): void {
    this.by = by;
    this.isUnsorted = true;
    this.refresh(true);
  }

  /** Time has gone by. */
  tick(): void {
    if (this.filter.dependsOnTime || this.by.dependsOnTime) this.refresh(false);
  }

  /** Leave the order as it is for now: somebody is about to click. */
  hold(): void {
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
    this.settle();
  }

  dispose(): void {
    for (const stop of this.stops) stop();
  }

  private refresh(isWish: boolean): void {
    const now = this.table.now();
    for (const row of this.table.rows.peek()) this.put(row, now);
    this.settle(isWish);
  }

  private put(row: DeckRow, now = this.table.now()): void {
    const key = this.by.key(row, now);
    const isIn = this.filter.matches(row, now);
    const entry = this.entries.get(row.id);
    if (!entry) {
      const made = { id: row.id, number: row.number, key, isIn };
      this.entries.set(row.id, made);
      this.sorted.push(made);
      this.isUnsorted = true;
      return;
    }
    if (entry.key !== key) {
      entry.key = key;
      this.isUnsorted = true;
    }
    if (entry.isIn !== isIn) {
      entry.isIn = isIn;
      this.isStale = true;
    }
  }

  private drop(id: string): void {
    if (this.entries.delete(id)) this.isStale = this.isThinned = true;
  }

  private settle(isWish = false): void {
    if (this.isHeld && !isWish) {
      this.held.value = this.held.peek() || this.isUnsorted || this.isStale;
      return;
    }
    this.held.value = false;
    // Once for all that went together: thousands go at a time.
    if (this.isThinned) this.sorted = this.sorted.filter((entry) => this.entries.get(entry.id) === entry);
    this.isThinned = false;
    if (this.isUnsorted) this.sorted.sort(this.by.descending ? descending : ascending);
    else if (!this.isStale) return;
    this.isUnsorted = this.isStale = false;
    const order = this.sorted.filter((entry) => entry.isIn).map((entry) => entry.id);
    if (!isSame(order, this.shown.peek())) this.shown.value = order;
  }
}

function ascending(a: Entry, b: Entry): number {
  return a.key === b.key ? b.number - a.number : nullsLast(a, b) || (isLess(a, b) ? -1 : 1);
}

function descending(a: Entry, b: Entry): number {
  return a.key === b.key ? b.number - a.number : nullsLast(a, b) || (isLess(a, b) ? 1 : -1);
}

function nullsLast(a: Entry, b: Entry): number {
  return (a.key === null ? 1 : 0) - (b.key === null ? 1 : 0);
}

function isLess(a: Entry, b: Entry): boolean {
  return typeof a.key === typeof b.key ? (a.key ?? 0) < (b.key ?? 0) : typeof a.key === "number";
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
