import { marking as trans } from "../model/translation";
import { isFrame, mismatch, type BulkOrder, type CommandName, type FeedFrame, type FromBrowser } from "../model/wire";
import type { RangeQuery, RangeReply, Reply, Report, Trouble } from "../model/wire";
import { DeckTalk } from "./deck-talk";
import type { DeckListener, Known } from "./host";
import { isAnswer, Requests } from "./requests";
import { JobsHost, type Line } from "./share";

/** The part of a WebSocket that the connection uses. */
export interface Socket {
  readonly readyState: number;
  send(data: string): void;
  close(): void;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
}

const OPEN = 1;
const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
/** Cards come and go in bunches: their wishes are gathered before the server is told. */
const GATHER = 20;
/** A connection that nobody uses is kept this long, since a card that is painted anew opens it again at once. */
const LINGER = 2_000;
/** The code with which a server ends the stream of a page of another version, once it has said so. */
const OTHER_PROTOCOL = 4406;
const LOST = trans.__("The connection to the Jupyter server is lost. Trying again…");

/** One WebSocket for all of a page: it asks for the jobs of all cards and hands each card its own, and the deck its rows. */
export class Connection implements Line {
  private readonly channels = new Set<JobsHost>();
  private readonly talk = new DeckTalk((frame) => this.send(frame));
  private readonly requests = new Requests(15_000, trans.__("The Jupyter server has not answered."));
  private socket: Socket | null = null;
  private seq: number | null = null;
  private subscribed = "";
  private failures = 0;
  private timers = new Map<"retry" | "gather" | "linger", ReturnType<typeof setTimeout>>();

  constructor(
    private readonly url: () => string,
    private readonly connect: (url: string) => Socket = (address) => new WebSocket(address),
  ) {}

  /** A host for these jobs, and for the deck. */
  open(ids: readonly string[]): JobsHost {
    return new JobsHost(this, ids);
  }

  get isOpen(): boolean {
    return this.socket?.readyState === OPEN;
  }

  /** Channels in use and requests under way, for tests that count what is left. */
  get load(): { channels: number; requests: number; timers: number } {
    return { channels: this.channels.size, requests: this.requests.size, timers: this.timers.size };
  }

  attach(channel: JobsHost): void {
    this.channels.add(channel);
    if (!this.use()) this.after("gather", GATHER, () => this.tell(true));
  }

  detach(channel: JobsHost): void {
    this.channels.delete(channel);
    if (this.isNeeded) this.after("gather", GATHER, () => this.tell(false));
    else this.release();
  }

  deck(listener: DeckListener, known?: () => Known | null): () => void {
    this.use();
    const stop = this.talk.add(listener, known);
    return () => {
      stop();
      if (!this.isNeeded) this.release();
    };
  }

  resync(): void {
    this.send({ type: "resync" });
  }

  range(query: RangeQuery): Promise<RangeReply> {
    return this.requests.ask<RangeReply>("range", (request) => this.demand({ type: "range", request, ...query }));
  }

  command(id: string, command: CommandName, inputs?: Readonly<Record<string, string>>): Promise<Reply> {
    return this.requests.ask<Reply>("reply", (request) =>
      this.demand({ type: "command", request, id, command, ...(inputs && { inputs }) }),
    );
  }

  bulk(order: BulkOrder): Promise<Report> {
    return this.requests.ask<Report>("report", (request) => this.demand({ type: "bulk", request, ...order }));
  }

  close(): void {
    for (const name of [...this.timers.keys()]) this.cancel(name);
    this.requests.rejectAll(trans.__("The card was closed."));
    this.drop();
  }

  private get isNeeded(): boolean {
    return this.channels.size > 0 || this.talk.isOn;
  }

  /** Somebody needs the connection. Returns whether it has to be made first. */
  private use(): boolean {
    this.cancel("linger");
    const isNew = this.socket === null && !this.timers.has("retry");
    if (isNew) this.dial();
    return isNew;
  }

  private release(): void {
    this.after("linger", LINGER, () => this.close());
  }

  private dial(): void {
    const socket = this.connect(this.url());
    this.socket = socket;
    socket.onopen = () => {
      this.failures = 0;
      if (this.channels.size > 0) this.tell(true);
      this.talk.begin();
    };
    socket.onmessage = (event) => this.take(event.data);
    socket.onclose = (event) => this.lose(event.code === OTHER_PROTOCOL);
  }

  /** Tell the server which jobs are wanted. `always` asks for a snapshot even if they are the same as before. */
  private tell(always: boolean): void {
    this.cancel("gather");
    const ids = [...new Set([...this.channels].flatMap((channel) => [...channel.ids]))].sort();
    const key = ids.join();
    if (!this.isOpen || (!always && key === this.subscribed)) return;
    this.subscribed = key;
    this.send({ type: "subscribe", ids });
  }

  private take(data: unknown): void {
    let frame: unknown;
    try {
      frame = JSON.parse(String(data));
    } catch {
      this.resync();
      return;
    }
    if (!isFrame(frame)) {
      const other = mismatch(frame);
      if (other) this.spread({ type: "trouble", error: other });
    } else if (isAnswer(frame)) this.requests.answer(frame);
    else if (frame.type === "rows") this.talk.take(frame);
    else if (frame.type === "trouble") this.spread(frame);
    else this.hand(frame);
  }

  private hand(frame: Exclude<FeedFrame, Trouble>): void {
    if (frame.type === "delta" && this.seq !== null && frame.seq !== this.seq + 1) this.resync();
    this.seq = frame.seq;
    for (const channel of this.channels) channel.take(frame);
  }

  private spread(trouble: Trouble): void {
    for (const channel of this.channels) channel.take(trouble);
    this.talk.take(trouble);
  }

  /** Dial again later. A server of another version is asked now and then, since it may be started anew; its words stay. */
  private lose(isRefused: boolean): void {
    this.drop();
    this.requests.rejectAll(LOST);
    if (!this.isNeeded) return;
    if (!isRefused) this.spread({ type: "trouble", error: LOST });
    const wait = isRefused ? LONGEST_DELAY : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.failures);
    const delay = wait * (0.75 + Math.random() / 2);
    this.failures += 1;
    this.after("retry", delay, () => this.dial());
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    this.seq = null;
    this.subscribed = "";
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private send(frame: FromBrowser): void {
    if (this.isOpen) this.socket?.send(JSON.stringify(frame));
  }

  private demand(frame: FromBrowser): void {
    if (!this.isOpen) throw new Error("the Jupyter server is not connected just now");
    this.send(frame);
  }

  private after(name: "retry" | "gather" | "linger", delay: number, act: () => void): void {
    this.cancel(name);
    this.timers.set(
      name,
      setTimeout(() => {
        this.timers.delete(name);
        act();
      }, delay),
    );
  }

  private cancel(name: "retry" | "gather" | "linger"): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }
}
