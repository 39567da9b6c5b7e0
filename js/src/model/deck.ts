import { batch, computed, signal, type ReadonlySignal, type Signal } from "@preact/signals-core";
import { isPicture, numbersOf } from "./body";
import { LogWindow } from "./log";
import { MessageWindow } from "./messages";
import { Output } from "./output";
import { Series, type Point } from "./series";
import type { Delta, FeedFrame, JobInfo, LogChunk, MessageRow, Snapshot } from "./wire";

/** One job: its facts as a signal, its messages and output as windows with a signal that counts their changes. */
export class JobState {
  readonly info: Signal<JobInfo>;
  /** Changes where a job goes from one state to another: all that a card off the screen has to follow. */
  readonly phase: ReadonlySignal<string>;
  readonly messages = new MessageWindow();
  readonly messageChanges = signal(0);
  readonly log = new LogWindow();
  readonly logChanges = signal(0);
  readonly output = new Output(this.log);
  readonly series = new Series();
  /** Number of the newest message that is a picture; 0 while there is none. */
  readonly picture = signal(0);
  /** The store no longer has it. */
  readonly isGone = signal(false);
  /** When its progress last changed, by the kernel's clock. */
  progressSeen: number;

  constructor(info: JobInfo, now: number) {
    this.info = signal(info);
    this.phase = computed(() => `${this.info.value.status} ${this.info.value.cancel_state ?? ""}`);
    this.progressSeen = now;
  }

  get id(): string {
    return this.info.peek().id;
  }

  merge(changes: Partial<JobInfo>, now: number): void {
    const old = this.info.peek();
    if (changes.progress !== undefined && changes.progress?.done !== old.progress?.done) this.progressSeen = now;
    const next = { ...old, ...changes };
    // A snapshot repeats what is known: nobody has to paint it again.
    if (JSON.stringify(next) !== JSON.stringify(old)) this.info.value = next;
    this.isGone.value = false;
  }

  addMessages(rows: readonly MessageRow[]): void {
    if (rows.length === 0) return;
    const fresh = rows.filter((row) => {
      const held = this.messages.get(row[0]);
      return !held || (held[3] !== undefined && row[3] === undefined);
    });
    if (fresh.length === 0) return;
    this.messages.add(fresh);
    this.addPoints(fresh);
    for (const row of fresh) if (row[0] > this.picture.peek() && isPicture(row[2])) this.picture.value = row[0];
    if (this.messages.last > this.info.peek().interim_count) {
      this.info.value = { ...this.info.peek(), interim_count: this.messages.last };
    }
  }

  /** Take the numbers of messages in, without keeping the messages. */
  addPoints(rows: readonly MessageRow[]): void {
    const points: Point[] = [];
    for (const [seq, , body, whole] of rows) {
      const numbers = whole === undefined ? numbersOf(body) : null;
      if (numbers) points.push({ seq, numbers });
    }
    this.series.add(points);
    this.messageChanges.value += 1;
  }

  addLog(chunk: LogChunk): void {
    const { revision, end } = this.log;
    this.log.add(chunk);
    if (this.log.revision === revision && this.log.end === end) return;
    this.logChanges.value += 1;
    if (this.log.end > this.info.peek().log_size) this.info.value = { ...this.info.peek(), log_size: this.log.end };
  }
}

/** Seconds since the epoch by this machine's clock. */
export type Clock = () => number;

/** The jobs of one feed, kept up to date by its frames. */
export class Deck {
  private readonly states = new Map<string, JobState>();
  private readonly order = signal<readonly string[]>([]);
  private readonly departed = signal<readonly string[]>([]);
  private readonly problem = signal<string | null>(null);
  private readonly appliedSeq = signal(-1);
  private seq: number | null = null;
  private offset = 0;
  /** The moment that is shown while nothing tells what time it is where the jobs are. */
  private readonly frozen = signal<number | null>(null);
  private store = "";

  constructor(private readonly localClock: Clock = () => Date.now() / 1000) {}

  /** Ids of the jobs, in the feed's order. */
  get ids(): ReadonlySignal<readonly string[]> {
    return this.order;
  }

  /** Ids of jobs that were here and that the store no longer has. */
  get gone(): ReadonlySignal<readonly string[]> {
    return this.departed;
  }

  /** Number of the last frame that was applied; -1 before the first. */
  get applied(): ReadonlySignal<number> {
    return this.appliedSeq;
  }

  /** What keeps the feed from following its store, in words; null while nothing does. */
  get trouble(): ReadonlySignal<string | null> {
    return this.problem;
  }

  get storeId(): string {
    return this.store;
  }

  job(id: string): JobState | undefined {
    return this.states.get(id);
  }

  /** Seconds since the epoch by the kernel's clock; it stands still while there is only a saved snapshot. */
  now(): number {
    return this.frozen.value ?? this.localClock() + this.offset;
  }

  /**
   * Paint from a snapshot that is at hand before the feed answers. Its time stands still until a frame comes, unless it
   * is fresh: a saved one tells of a moment that may be long past.
   */
  seed(snapshot: Snapshot, isFresh = false): void {
    batch(() => {
      this.offset = snapshot.now - this.localClock();
      this.frozen.value = isFresh ? null : snapshot.now;
      this.takeSnapshot(snapshot);
      this.seq = null;
    });
  }

  /**
   * Take the next frame in.
   *
   * @returns false where a frame before it was missed: ask for a snapshot then. What comes meanwhile is applied all the
   * same, since a busy kernel may answer late.
   */
  apply(frame: FeedFrame): boolean {
    return batch(() => {
      if (frame.type === "trouble") {
        this.problem.value = frame.error;
        return true;
      }
      if (frame.type === "snapshot") {
        this.offset = frame.now - this.localClock();
        this.frozen.value = null;
        this.problem.value = null;
        this.takeSnapshot(frame);
        this.seq = this.appliedSeq.value = frame.seq;
        return true;
      }
      const isNext = this.seq === null || frame.seq === this.seq + 1;
      this.frozen.value = null;
      this.seq = this.appliedSeq.value = frame.seq;
      this.takeDelta(frame);
      return isNext;
    });
  }

  /** Take a job in that a command's answer brought, ahead of its feed. */
  add(info: JobInfo): void {
    this.put(info);
    if (!this.order.peek().includes(info.id)) this.order.value = [...this.order.peek(), info.id];
  }

  /** The state as a snapshot, with the newest messages and output, to be saved. */
  snapshot(tailMessages: number, tailLog: number): Snapshot {
    const ids = [...this.order.peek(), ...this.departed.peek()];
    const states = ids.map((id) => this.states.get(id)).filter((state): state is JobState => state !== undefined);
    return {
      type: "snapshot",
      protocol: 1,
      seq: 0,
      store_id: this.store,
      now: this.frozen.peek() ?? this.localClock() + this.offset,
      jobs: states.map((state) => state.info.peek()),
      messages: Object.fromEntries(states.map((state) => [state.id, state.messages.rows().slice(-tailMessages)])),
      logs: Object.fromEntries(states.map((state) => [state.id, tail(state.log.chunks.at(-1), tailLog)])),
    };
  }

  private put(info: JobInfo): JobState {
    const known = this.states.get(info.id);
    if (known) {
      known.merge(info, this.now());
      return known;
    }
    const state = new JobState(info, this.now());
    this.states.set(info.id, state);
    return state;
  }

  private takeSnapshot(snapshot: Snapshot): void {
    if (this.store !== snapshot.store_id) {
      this.states.clear();
      this.departed.value = [];
      this.store = snapshot.store_id;
    }
    const before = this.order.peek();
    const ids = snapshot.jobs.map((info) => info.id);
    for (const info of snapshot.jobs) this.put(info);
    this.takeRows(snapshot.messages, snapshot.logs);
    if (ids.join() !== before.join()) this.order.value = ids;
    this.depart(before.filter((id) => !ids.includes(id)));
  }

  private takeDelta(delta: Delta): void {
    for (const info of delta.added ?? []) this.add(info);
    this.takeRows(delta.messages, delta.logs);
    for (const [id, changes] of Object.entries(delta.jobs ?? {})) this.states.get(id)?.merge(changes, this.now());
    const removed = delta.removed ?? [];
    if (removed.length > 0) {
      this.order.value = this.order.peek().filter((id) => !removed.includes(id));
      this.depart(removed);
    }
  }

  private takeRows(messages: Record<string, MessageRow[]> = {}, logs: Record<string, LogChunk> = {}): void {
    for (const [id, rows] of Object.entries(messages)) this.states.get(id)?.addMessages(rows);
    for (const [id, chunk] of Object.entries(logs)) this.states.get(id)?.addLog(chunk);
  }

  private depart(ids: readonly string[]): void {
    const present = new Set(this.order.peek());
    const departed = [...new Set([...this.departed.peek(), ...ids])].filter((id) => !present.has(id) && this.states.has(id));
    for (const id of departed) {
      const state = this.states.get(id);
      if (state) state.isGone.value = true;
    }
    if (departed.join() !== this.departed.peek().join()) this.departed.value = departed;
  }
}

function tail(chunk: LogChunk | undefined, most: number): LogChunk {
  if (!chunk) return { start: 0, end: 0, text: "" };
  if (chunk.text.length <= most) return chunk;
  const text = chunk.text.slice(-most);
  return { start: chunk.end - new TextEncoder().encode(text).length, end: chunk.end, text };
}
