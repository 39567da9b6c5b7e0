import { isFrame, type CommandName, type Delta, type FeedFrame, type FromBrowser } from "../model/wire";
import type { JobInfo, RangeQuery, RangeReply, Reply, Snapshot } from "../model/wire";
import type { Capabilities, FrameListener, Host } from "./host";
import { Requests } from "./requests";

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
const LOST = "The connection to the Jupyter server is lost. Trying again…";

/** One WebSocket for all cards of a page: it asks for the jobs of them all and hands each card its own. */
export class Connection {
  private readonly channels = new Set<ServerHost>();
  private readonly requests = new Requests(15_000, "The Jupyter server has not answered.");
  private socket: Socket | null = null;
  private seq: number | null = null;
  private subscribed = "";
  private failures = 0;
  private timers = new Map<"retry" | "gather" | "linger", ReturnType<typeof setTimeout>>();

  constructor(
    private readonly url: () => string,
    private readonly connect: (url: string) => Socket = (address) => new WebSocket(address),
  ) {}

  /** A host for these jobs; null means all of the server's store, and a connection of their own for hosts that want them. */
  open(ids: readonly string[] | null): ServerHost {
    return new ServerHost(this, ids);
  }

  get isOpen(): boolean {
    return this.socket?.readyState === OPEN;
  }

  /** Channels in use and requests under way, for tests that count what is left. */
  get load(): { channels: number; requests: number; timers: number } {
    return { channels: this.channels.size, requests: this.requests.size, timers: this.timers.size };
  }

  attach(channel: ServerHost): void {
    this.channels.add(channel);
    this.cancel("linger");
    if (this.socket === null && !this.timers.has("retry")) this.dial();
    else this.after("gather", GATHER, () => this.tell(true));
  }

  detach(channel: ServerHost): void {
    this.channels.delete(channel);
    if (this.channels.size > 0) this.after("gather", GATHER, () => this.tell(false));
    else this.after("linger", LINGER, () => this.close());
  }

  resync(): void {
    this.send({ type: "resync" });
  }

  range(query: RangeQuery): Promise<RangeReply> {
    return this.requests.ask<RangeReply>("range", (request) => this.demand({ type: "range", request, ...query }));
  }

  command(id: string, command: CommandName): Promise<Reply> {
    return this.requests.ask<Reply>("reply", (request) => this.demand({ type: "command", request, id, command }));
  }

  close(): void {
    for (const name of [...this.timers.keys()]) this.cancel(name);
    this.requests.rejectAll("The card was closed.");
    this.drop();
  }

  private dial(): void {
    const socket = this.connect(this.url());
    this.socket = socket;
    socket.onopen = () => {
      this.failures = 0;
      this.tell(true);
    };
    socket.onmessage = (event) => this.take(event.data);
    socket.onclose = () => this.lose();
  }

  /** Tell the server which jobs are wanted. `always` asks for a snapshot even if they are the same as before. */
  private tell(always: boolean): void {
    this.cancel("gather");
    const wishes = [...this.channels].map((channel) => channel.ids);
    const ids = wishes.includes(null) ? null : [...new Set(wishes.flatMap((wish) => [...(wish ?? [])]))].sort();
    const key = ids === null ? "*" : ids.join();
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
    if (!isFrame(frame)) return;
    if (frame.type === "range" || frame.type === "reply") this.requests.answer(frame);
    else {
      if (frame.type === "delta" && this.seq !== null && frame.seq !== this.seq + 1) this.resync();
      if (frame.type !== "trouble") this.seq = frame.seq;
      for (const channel of this.channels) channel.take(frame);
    }
  }

  private lose(): void {
    this.drop();
    this.requests.rejectAll(LOST);
    if (this.channels.size === 0) return;
    for (const channel of this.channels) channel.take({ type: "trouble", error: LOST });
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.failures) * (0.75 + Math.random() / 2);
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

/** One card's share of the page's connection. Its frames have sequence numbers of their own. */
export class ServerHost implements Host {
  readonly capabilities: Capabilities = { live: true, commands: true };
  private readonly wanted: Set<string> | null;
  private readonly listeners = new Set<FrameListener>();
  private seq = -1;

  constructor(
    private readonly connection: Connection,
    ids: readonly string[] | null,
  ) {
    this.wanted = ids && new Set(ids);
  }

  /** The jobs that it is about; null where it is about all. */
  get ids(): ReadonlySet<string> | null {
    return this.wanted;
  }

  subscribe(listener: FrameListener): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.connection.attach(this);
    return () => {
      if (this.listeners.delete(listener) && this.listeners.size === 0) this.connection.detach(this);
    };
  }

  resync(): void {
    this.connection.resync();
  }

  range(query: RangeQuery): Promise<RangeReply> {
    return this.connection.range(query);
  }

  command(id: string, command: CommandName): Promise<Reply> {
    return this.connection.command(id, command);
  }

  dispose(): void {
    if (this.listeners.size === 0) return;
    this.listeners.clear();
    this.connection.detach(this);
  }

  /** Hear of a frame of the page's connection: hand on what is ours of it. */
  take(frame: FeedFrame): void {
    const { wanted } = this;
    const ours =
      frame.type === "trouble" ? frame
      : wanted === null ? { ...frame, seq: (this.seq += 1) }
      : frame.type === "snapshot" ? this.ofSnapshot(frame, wanted)
      : this.ofDelta(frame, wanted);
    if (ours) for (const listener of this.listeners) listener(ours);
  }

  private ofSnapshot(frame: Snapshot, wanted: ReadonlySet<string>): Snapshot {
    const byId = new Map(frame.jobs.map((job) => [job.id, job]));
    const jobs = [...wanted].map((id) => byId.get(id)).filter((job): job is JobInfo => job !== undefined);
    this.seq += 1;
    return { ...frame, seq: this.seq, jobs, messages: pick(frame.messages, wanted) ?? {}, logs: pick(frame.logs, wanted) ?? {} };
  }

  private ofDelta(frame: Delta, wanted: Set<string>): Delta | null {
    // A retry's new job belongs to the card of the job that it repeats.
    const added = frame.added?.filter((job) => wanted.has(job.id) || (job.retry_of !== null && wanted.has(job.retry_of)));
    for (const job of added ?? []) wanted.add(job.id);
    const removed = frame.removed?.filter((id) => wanted.has(id));
    const parts: Omit<Delta, "type" | "seq"> = {};
    const jobs = pick(frame.jobs, wanted);
    const messages = pick(frame.messages, wanted);
    const logs = pick(frame.logs, wanted);
    if (added?.length) parts.added = added;
    if (removed?.length) parts.removed = removed;
    if (jobs) parts.jobs = jobs;
    if (messages) parts.messages = messages;
    if (logs) parts.logs = logs;
    if (Object.keys(parts).length === 0) return null;
    this.seq += 1;
    return { type: "delta", seq: this.seq, ...parts };
  }
}

function pick<Part>(parts: Record<string, Part> | undefined, wanted: ReadonlySet<string>): Record<string, Part> | null {
  if (!parts) return null;
  const ours: [string, Part][] = [];
  for (const id of Object.keys(parts)) if (wanted.has(id)) ours.push([id, parts[id] as Part]);
  return ours.length > 0 ? Object.fromEntries(ours) : null;
}
