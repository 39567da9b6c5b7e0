import { batch, signal, type ReadonlySignal, type Signal } from "@preact/signals-core";
import type { Clock } from "./deck";
import { changeRow, fillRow, type DeckRow } from "./row";
import type { GroupInfo, RowsFrame } from "./wire";

export { fillRow, type DeckRow } from "./row";

export interface RowChange {
  row: DeckRow;
  /** The row as it was; undefined for a job that is new. */
  before: DeckRow | undefined;
}

/** What a frame did to the table. */
export interface TableUpdate {
  changes: readonly RowChange[];
  removed: readonly DeckRow[];
}

/** All jobs of a store as rows, kept up to date by a deck's frames. */
export class JobTable {
  /** Oldest first, so that a new job is one more at the end. */
  private held: DeckRow[] = [];
  private readonly places = new Map<string, number>();
  private readonly newestFirst = signal<readonly DeckRow[]>([]);
  private readonly size = signal(0);
  private readonly byStatus = signal<Readonly<Record<string, number>>>({});
  private readonly complete = signal(false);
  private readonly knownGroups = signal<ReadonlyMap<string, GroupInfo>>(new Map());
  private readonly problem = signal<string | null>(null);
  private readonly frozen = signal<number | null>(null);
  private readonly watched = new Map<string, Signal<DeckRow | undefined>>();
  private readonly listeners = new Set<(changes: readonly RowChange[]) => void>();
  private readonly followers = new Set<(update: TableUpdate) => void>();
  /** Rows of before a reset that have not been told again yet; they go when all has come. */
  private doubtful: Set<string> | null = null;
  private isLoading = true;
  private isInStep = false;
  private seq: number | null = null;
  private offset = 0;
  private store = "";
  private known = -1;

  constructor(private readonly localClock: Clock = () => Date.now() / 1000) {}

  /** All rows, newest first. */
  get rows(): ReadonlySignal<readonly DeckRow[]> {
    return this.newestFirst;
  }

  /** Jobs in the store; more than there are rows until all have come. */
  get total(): ReadonlySignal<number> {
    return this.size;
  }

  /** How many jobs of the store have each status. */
  get counts(): ReadonlySignal<Readonly<Record<string, number>>> {
    return this.byStatus;
  }

  /** The groups that have been told, by id. */
  get groups(): ReadonlySignal<ReadonlyMap<string, GroupInfo>> {
    return this.knownGroups;
  }

  get isComplete(): ReadonlySignal<boolean> {
    return this.complete;
  }

  /** What keeps the rows from following their store, in words; null while nothing does. */
  get trouble(): ReadonlySignal<string | null> {
    return this.problem;
  }

  get storeId(): string {
    return this.store;
  }

  /** The store's change number up to which nothing is missing; -1 while something is. */
  get change(): number {
    return this.known;
  }

  row(id: string): DeckRow | undefined {
    const place = this.places.get(id);
    return place === undefined ? undefined : this.held[place];
  }

  /** One row as a signal, for what shows it alone: to be had again after nobody has watched it for a while. */
  live(id: string): ReadonlySignal<DeckRow | undefined> {
    const known = this.watched.get(id);
    if (known) return known;
    const row = signal(this.row(id), {
      unwatched: () => {
        if (this.watched.get(id) === row) this.watched.delete(id);
      },
    });
    this.watched.set(id, row);
    return row;
  }

  /** Seconds since the epoch by the store's clock; it stands still while there is only a saved frame. */
  now(): number {
    return this.frozen.value ?? this.localClock() + this.offset;
  }

  /** Hear what happens to jobs from now on; rows that were there before and come only now are not told. */
  onChange(listener: (changes: readonly RowChange[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Hear of every row that comes, changes or goes, before {@link rows} tells of it. */
  onUpdate(follower: (update: TableUpdate) => void): () => void {
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }

  /** Say what is the matter with the feed; null where nothing is any more. */
  tell(trouble: string | null): void {
    this.problem.value = trouble;
  }

  /** Paint a frame that is at hand before the feed answers. Time stands still in a saved one, until another comes. */
  seed(frame: RowsFrame, isFresh = false): void {
    batch(() => {
      this.offset = frame.now - this.localClock();
      this.frozen.value = isFresh ? null : frame.now;
      this.take({ ...frame, reset: true });
      this.complete.value = false;
      this.isLoading = true;
      this.isInStep = false;
      this.known = -1;
      this.seq = null;
    });
  }

  /**
   * Take the next frame in.
   *
   * @returns false where a frame before it was missed: ask again from {@link change} then. What comes meanwhile is applied
   * all the same.
   */
  apply(frame: RowsFrame): boolean {
    return batch(() => {
      const isNext = this.seq === null || frame.seq === this.seq + 1 || frame.reset || frame.seq === 0;
      this.seq = frame.seq;
      // What was missed stays missed until a conversation begins anew: until then the old number is the true one.
      if (!isNext) this.isInStep = false;
      else if (frame.reset || frame.seq === 0) this.isInStep = true;
      this.offset = frame.now - this.localClock();
      this.frozen.value = null;
      this.problem.value = null;
      this.take(frame);
      if (frame.reset) this.known = -1;
      if (this.isInStep && !this.isLoading && !frame.more) this.known = frame.change;
      return isNext;
    });
  }

  private take(frame: RowsFrame): void {
    const changes: RowChange[] = [];
    const live: RowChange[] = [];
    const gone = new Set<string>();
    if (frame.reset) this.beginAnew(frame, gone);
    if (frame.groups?.length) {
      this.knownGroups.value = new Map([...this.knownGroups.peek(), ...frame.groups.map((group): [string, GroupInfo] => [group.id, group])]);
    }
    for (const wire of frame.rows ?? []) {
      this.doubtful?.delete(wire.id);
      const change = { row: fillRow(wire), before: this.row(wire.id) };
      changes.push(change);
      if (!this.isLoading) live.push(change);
    }
    for (const [id, parts] of Object.entries(frame.changes ?? {})) {
      const before = this.row(id);
      if (!before) continue;
      const change = { row: changeRow(before, parts), before };
      changes.push(change);
      live.push(change);
    }
    for (const id of frame.removed ?? []) gone.add(id);
    if (!frame.more) {
      for (const id of this.doubtful ?? []) gone.add(id);
      this.doubtful = null;
      this.isLoading = false;
    }
    this.complete.value = !this.isLoading;
    this.put(changes, gone);
    this.size.value = frame.total;
    if (!isSame(this.byStatus.peek(), frame.counts)) this.byStatus.value = frame.counts;
    if (live.length > 0) for (const listener of this.listeners) listener(live);
  }

  /** What is known may still hold: it stays until all has been told again, unless it is another store's. */
  private beginAnew(frame: RowsFrame, gone: Set<string>): void {
    const ids = this.held.map((row) => row.id);
    if (this.store === frame.store_id) this.doubtful = new Set(ids);
    else {
      for (const id of ids) gone.add(id);
      this.doubtful = null;
      this.knownGroups.value = new Map();
    }
    this.store = frame.store_id;
    this.isLoading = true;
  }

  private put(changes: readonly RowChange[], gone: ReadonlySet<string>): void {
    const told = new Set(changes.map((change) => change.row.id));
    const removed = [...gone].filter((id) => !told.has(id)).map((id) => this.row(id)).filter((row) => row !== undefined);
    if (changes.length === 0 && removed.length === 0) return;
    if (removed.length > 0) {
      const away = new Set(removed.map((row) => row.id));
      this.held = this.held.filter((row) => !away.has(row.id));
      this.places.clear();
      this.held.forEach((row, place) => this.places.set(row.id, place));
    }
    let inOrder = true;
    for (const { row } of changes) {
      const place = this.places.get(row.id);
      if (place !== undefined) this.held[place] = row;
      else {
        inOrder &&= (this.held.at(-1)?.number ?? -Infinity) < row.number;
        this.places.set(row.id, this.held.length);
        this.held.push(row);
      }
    }
    if (!inOrder) {
      this.held.sort((a, b) => a.number - b.number);
      this.held.forEach((row, place) => this.places.set(row.id, place));
    }
    for (const { row } of changes) {
      const watched = this.watched.get(row.id);
      if (watched) watched.value = row;
    }
    for (const row of removed) {
      const watched = this.watched.get(row.id);
      if (watched) watched.value = undefined;
    }
    for (const follower of this.followers) follower({ changes, removed });
    this.newestFirst.value = this.held.toReversed();
  }
}

function isSame(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
