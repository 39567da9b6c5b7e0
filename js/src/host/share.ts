import type { BulkOrder, CommandName, Delta, FeedFrame, JobInfo } from "../model/wire";
import type { RangeQuery, RangeReply, Reply, Report, Snapshot } from "../model/wire";
import type { Capabilities, DeckListener, FrameListener, Host, Known } from "./host";

/** What several hosts of a page share: one conversation about all their jobs. */
export interface Line {
  attach(host: JobsHost): void;
  detach(host: JobsHost): void;
  deck: Host["deck"];
  resync: Host["resync"];
  range: Host["range"];
  command: Host["command"];
  bulk: Host["bulk"];
}

/** Some jobs' share of a line. Its frames have sequence numbers of their own. */
export class JobsHost implements Host {
  readonly capabilities: Capabilities = { live: true, commands: true };
  private readonly wanted: Set<string>;
  private readonly listeners = new Set<FrameListener>();
  private seq = -1;

  constructor(
    private readonly line: Line,
    ids: readonly string[],
  ) {
    this.wanted = new Set(ids);
  }

  /** The jobs that it is about. */
  get ids(): ReadonlySet<string> {
    return this.wanted;
  }

  subscribe(listener: FrameListener): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.line.attach(this);
    return () => {
      if (this.listeners.delete(listener) && this.listeners.size === 0) this.line.detach(this);
    };
  }

  deck(listener: DeckListener, known?: () => Known | null): () => void {
    return this.line.deck(listener, known);
  }

  cards(ids: readonly string[]): Host {
    return new JobsHost(this.line, ids);
  }

  resync(): void {
    this.line.resync();
  }

  range(query: RangeQuery): Promise<RangeReply> {
    return this.line.range(query);
  }

  command(id: string, command: CommandName, inputs?: Readonly<Record<string, string>>): Promise<Reply> {
    return this.line.command(id, command, inputs);
  }

  bulk(order: BulkOrder): Promise<Report> {
    return this.line.bulk(order);
  }

  dispose(): void {
    if (this.listeners.size === 0) return;
    this.listeners.clear();
    this.line.detach(this);
  }

  /** Hear of a frame of the page's connection: hand on what is ours of it. */
  take(frame: FeedFrame): void {
    const { wanted } = this;
    const ours =
      frame.type === "trouble" ? frame
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
