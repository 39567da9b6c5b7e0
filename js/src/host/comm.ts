import { marking as trans } from "../model/translation";
import { isFrame, isGroup, mismatch, type BulkOrder, type CommandName, type FromBrowser } from "../model/wire";
import type { FeedFrame, RangeQuery, RangeReply, Reply, Report } from "../model/wire";
import { openChannel, type Channel } from "./channel";
import { DeckTalk } from "./deck-talk";
import { HostError, type Capabilities, type DeckListener, type FrameListener, type Host, type Known } from "./host";
import type { Rest } from "./http";
import { isAnswer, Requests } from "./requests";
import { JobsHost, type Line } from "./share";

/** The part of anywidget's model that the host uses. */
export interface WidgetModel {
  get(name: string): unknown;
  on(name: string, callback: (...args: never[]) => void): void;
  off(name?: string | null, callback?: ((...args: never[]) => void) | null): void;
  send(content: unknown): void;
  readonly widget_manager?: unknown;
}

const BUSY = trans.__("The kernel has not answered: it is busy or gone. If it is busy, it will take this up when it is free.");

/**
 * Frames over a widget's comm. Commands take the shortest path that works: HTTP where the page's server has jobdeck on the
 * same store, else a comm that the page opens, else the widget's.
 */
export class CommHost implements Host, Line {
  readonly capabilities: Capabilities = { live: true, commands: true };
  private readonly listeners = new Set<FrameListener>();
  private readonly shares = new Set<JobsHost>();
  private readonly talk: DeckTalk;
  private readonly requests: Requests;
  private channel: Promise<Channel | null> | null = null;
  /** Sent over the channel and not answered yet. */
  private readonly underway = new Map<number, FromBrowser>();

  /**
   * @param model - The widget's model.
   * @param rest - The page's server, null where it has no jobdeck on this store.
   * @param storeId - The store that the jobs are in, as it is known by the time of a command.
   * @param timeout - Milliseconds to wait for an answer of the kernel.
   */
  constructor(
    private readonly model: WidgetModel,
    private readonly rest: Promise<Rest | null> = Promise.resolve(null),
    private readonly storeId: () => string = () => "",
    timeout = 15_000,
  ) {
    this.requests = new Requests(timeout, BUSY);
    const group = model.get("_group");
    this.talk = new DeckTalk((frame) => this.send(frame), isGroup(group) ? group.id : null);
    model.on("msg:custom", this.take);
    model.on("change:_snapshot", this.takeTrait);
  }

  subscribe(listener: FrameListener): () => void {
    this.listeners.add(listener);
    // Nothing is sent to a widget that nobody watches: this says that somebody does.
    if (this.listeners.size === 1) this.send({ type: "subscribe", ids: null });
    return () => {
      this.listeners.delete(listener);
    };
  }

  deck(listener: DeckListener, known?: () => Known | null): () => void {
    return this.talk.add(listener, known);
  }

  cards(ids: readonly string[]): Host {
    return new JobsHost(this, ids);
  }

  attach(share: JobsHost): void {
    this.shares.add(share);
    this.tellShares();
  }

  detach(share: JobsHost): void {
    this.shares.delete(share);
    this.tellShares();
  }

  resync(): void {
    this.send({ type: "resync" });
  }

  range(query: RangeQuery): Promise<RangeReply> {
    return this.requests.ask<RangeReply>("range", (request) => this.send({ type: "range", request, ...query }));
  }

  async command(id: string, command: CommandName, inputs?: Readonly<Record<string, string>>): Promise<Reply> {
    const rest = await this.rest;
    const answer = rest && (await orNull(rest.command(id, command, inputs)));
    return answer ?? this.askKernel("reply", { type: "command", request: 0, id, command, ...(inputs && { inputs }) });
  }

  async bulk(order: BulkOrder): Promise<Report> {
    const rest = await this.rest;
    const answer = rest && (await orNull(rest.bulk(order)));
    return answer ?? this.askKernel("report", { type: "bulk", request: 0, ...order });
  }

  dispose(): void {
    this.model.off("msg:custom", this.take);
    this.model.off("change:_snapshot", this.takeTrait);
    this.listeners.clear();
    this.shares.clear();
    void this.channel?.then((channel) => channel?.close());
    this.channel = null;
    this.underway.clear();
    this.requests.rejectAll(trans.__("The card was closed."));
  }

  private readonly take = (content: unknown): void => {
    if (!isFrame(content)) {
      const other = mismatch(content);
      if (other) this.hand({ type: "trouble", error: other });
    } else if (isAnswer(content)) this.requests.answer(content);
    else if (content.type === "rows") this.talk.take(content);
    else this.hand(content);
  };

  private hand(frame: FeedFrame): void {
    for (const listener of this.listeners) listener(frame);
    for (const share of this.shares) share.take(frame);
    if (frame.type === "trouble") this.talk.take(frame);
  }

  /** Which jobs the widget is to tell of beside its deck. */
  private tellShares(): void {
    this.send({ type: "subscribe", ids: [...new Set([...this.shares].flatMap((share) => [...share.ids]))] });
  }

  private async askKernel<Wanted extends Reply | Report>(
    type: Wanted["type"],
    demand: Extract<FromBrowser, { type: "command" | "bulk" }>,
  ): Promise<Wanted> {
    const channel = this.model.widget_manager ? await this.openChannel() : null;
    return this.requests.ask<Wanted>(type, (request) => {
      const frame = { ...demand, request };
      if (channel) {
        this.underway.set(request, frame);
        channel.send(frame);
      } else this.send(frame);
    });
  }

  private readonly takeTrait = (): void => {
    this.take(this.model.get("_snapshot"));
  };

  private openChannel(): Promise<Channel | null> {
    this.channel ??= openChannel(
      this.model.widget_manager,
      this.storeId(),
      (answer) => {
        this.underway.delete(answer.request);
        this.requests.answer(answer);
      },
      () => this.giveUpChannel(),
    );
    return this.channel;
  }

  /** A kernel that does not know the channel closes it unheard. */
  private giveUpChannel(): void {
    this.channel = Promise.resolve(null);
    for (const frame of this.underway.values()) this.send(frame);
    this.underway.clear();
  }

  private send(frame: FromBrowser): void {
    this.model.send(frame);
  }
}

/** The answer of a server; null where it went away: the comm is the other way then. */
async function orNull<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return null;
  }
}
