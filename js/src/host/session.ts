import { signal, type ReadonlySignal } from "@preact/signals-core";
import type { Deck } from "../model/deck";
import { RANGE_LOG, RANGE_MESSAGES, type CommandName, type FeedFrame, type RangeQuery, type RangeReply } from "../model/wire";
import { HostError, type Capabilities, type Host } from "./host";
import { onNextPaint, type Schedule } from "./schedule";

/** How far back a plot reaches: the messages before those that are there, whole or as this many samples. */
const SAMPLES = 8;
const SAMPLE = 500;

/** A deck on its host: frames go in once a paint, requests go out, and the host can be exchanged for another. */
export class Session {
  private readonly able = signal<Capabilities>({ live: false, commands: false });
  private readonly busy = new Set<string>();
  private readonly exhausted = new Set<string>();
  private queue: FeedFrame[] = [];
  private host: Host;
  private unsubscribe: () => void = () => undefined;
  private unschedule: () => void = () => undefined;
  private isScheduled = false;
  private isDisposed = false;

  constructor(
    readonly deck: Deck,
    host: Host,
    private readonly schedule: Schedule = onNextPaint,
  ) {
    this.host = host;
    this.connect(host);
  }

  get capabilities(): ReadonlySignal<Capabilities> {
    return this.able;
  }

  /** Go on with another host; the one before is disposed. */
  connect(host: Host): void {
    this.unsubscribe();
    if (host !== this.host) this.host.dispose();
    this.host = host;
    this.able.value = host.capabilities;
    this.exhausted.clear();
    this.unsubscribe = host.subscribe((frame) => {
      this.queue.push(frame);
      if (this.isScheduled) return;
      this.isScheduled = true;
      this.unschedule = this.schedule(() => this.flush());
    });
  }

  /** Apply what has come in by now. */
  private flush(): void {
    this.isScheduled = false;
    const frames = this.queue;
    this.queue = [];
    let inStep = true;
    for (const frame of frames) inStep = this.deck.apply(frame) && inStep;
    if (!inStep) this.host.resync();
  }

  /** Ask for something to be done; the answer is a sentence that says why not, or null if it was taken. */
  async command(id: string, command: CommandName, inputs?: Readonly<Record<string, string>>): Promise<string | null> {
    try {
      const reply = await this.host.command(id, command, inputs);
      if (reply.job && !this.isDisposed) this.deck.add(reply.job);
      return reply.error;
    } catch (error) {
      return sentence(error);
    }
  }

  /** Fetch what is missing of the messages `first` to `last`, one request at a time. */
  async loadMessages(id: string, first: number, last: number): Promise<void> {
    const job = this.deck.job(id);
    const hole = job?.messages.hole(first, last, RANGE_MESSAGES);
    if (!job || !hole) return;
    const rows = (await this.ask({ id, what: "messages", ...hole }))?.messages;
    if (rows) job.addMessages(rows);
  }

  /** Fetch the output that is missing before what is there. Returns whether more came. */
  async loadLog(id: string): Promise<boolean> {
    const job = this.deck.job(id);
    const gap = job?.log.gap(RANGE_LOG / 4);
    if (!job || !gap) return false;
    const chunk = (await this.ask({ id, what: "log", ...gap }))?.log;
    if (!chunk || chunk.end <= chunk.start) return false;
    job.addLog(chunk);
    return true;
  }

  /** Fetch the whole of a message that came cut. */
  async loadBody(id: string, seq: number): Promise<string | null> {
    return (await this.ask({ id, what: "body", start: seq }))?.whole ?? null;
  }

  /** Fetch the numbers of the messages before those that are there, for a plot; once a job. */
  async loadHistory(id: string): Promise<void> {
    const job = this.deck.job(id);
    const first = job?.messages.rows()[0]?.[0] ?? 1;
    if (!job || first <= 1 || this.exhausted.has(`history ${id}`)) return;
    this.exhausted.add(`history ${id}`);
    const missing = first - 1;
    const step = missing <= SAMPLES * SAMPLE ? SAMPLE : missing / SAMPLES;
    for (let start = 0; start < missing && !this.isDisposed; start += step) {
      const from = Math.floor(start);
      const rows = (await this.ask({ id, what: "messages", start: from, stop: Math.min(missing, from + SAMPLE) }))?.messages;
      if (!rows) return;
      job.addPoints(rows);
    }
  }

  dispose(): void {
    this.isDisposed = true;
    this.unsubscribe();
    this.unschedule();
    this.queue = [];
    this.host.dispose();
  }

  /** One request of a kind at a time; one that brought nothing is not repeated. */
  private async ask(query: RangeQuery): Promise<RangeReply | null> {
    const lane = `${query.what} ${query.id}`;
    const key = `${lane} ${query.start} ${query.stop ?? ""}`;
    if (!this.able.peek().live || this.busy.has(lane) || this.exhausted.has(key)) return null;
    this.busy.add(lane);
    try {
      const reply = await this.host.range(query);
      const brought = reply.messages?.length ?? (reply.log ? reply.log.end - reply.log.start : (reply.whole?.length ?? 0));
      if (brought === 0) this.exhausted.add(key);
      return this.isDisposed || reply.error !== null ? null : reply;
    } catch (error) {
      // What was missing stays missing until it is asked for again; a host's own failure is shown as its trouble.
      if (error instanceof HostError) return null;
      throw error;
    } finally {
      this.busy.delete(lane);
    }
  }
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
