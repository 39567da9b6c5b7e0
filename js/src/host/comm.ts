import { isFrame, type CommandName, type FromBrowser, type RangeQuery, type RangeReply, type Reply } from "../model/wire";
import { openChannel, type Channel } from "./channel";
import { HostError, type Capabilities, type FrameListener, type Host } from "./host";
import type { Rest } from "./http";
import { Requests } from "./requests";

/** The part of anywidget's model that the host uses. */
export interface WidgetModel {
  get(name: string): unknown;
  on(name: string, callback: (...args: never[]) => void): void;
  off(name?: string | null, callback?: ((...args: never[]) => void) | null): void;
  send(content: unknown): void;
  readonly widget_manager?: unknown;
}

const BUSY = "The kernel has not answered: it is busy or gone. If it is busy, it will take this up when it is free.";

/**
 * Frames over a widget's comm. Commands take the shortest path that works: HTTP where the page's server has jobdeck on the
 * same store, else a comm that the page opens, else the widget's.
 */
export class CommHost implements Host {
  readonly capabilities: Capabilities = { live: true, commands: true };
  private readonly listeners = new Set<FrameListener>();
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

  resync(): void {
    this.send({ type: "resync" });
  }

  range(query: RangeQuery): Promise<RangeReply> {
    return this.requests.ask<RangeReply>("range", (request) => this.send({ type: "range", request, ...query }));
  }

  async command(id: string, command: CommandName): Promise<Reply> {
    const rest = await this.rest;
    if (rest) {
      try {
        return await rest.command(id, command);
      } catch (error) {
        // The server went away: the comm is the other way.
        if (!(error instanceof HostError)) throw error;
      }
    }
    const channel = this.model.widget_manager ? await this.openChannel() : null;
    return this.requests.ask<Reply>("reply", (request) => {
      const frame: FromBrowser = { type: "command", request, id, command };
      if (channel) {
        this.underway.set(request, frame);
        channel.send(frame);
      } else this.send(frame);
    });
  }

  dispose(): void {
    this.model.off("msg:custom", this.take);
    this.model.off("change:_snapshot", this.takeTrait);
    this.listeners.clear();
    void this.channel?.then((channel) => channel?.close());
    this.channel = null;
    this.underway.clear();
    this.requests.rejectAll("The card was closed.");
  }

  private readonly take = (content: unknown): void => {
    if (!isFrame(content)) return;
    if (content.type === "range" || content.type === "reply") this.requests.answer(content);
    else for (const listener of this.listeners) listener(content);
  };

  private readonly takeTrait = (): void => {
    this.take(this.model.get("_snapshot"));
  };

  private openChannel(): Promise<Channel | null> {
    this.channel ??= openChannel(
      this.model.widget_manager,
      this.storeId(),
      (reply) => {
        this.underway.delete(reply.request);
        this.requests.answer(reply);
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
