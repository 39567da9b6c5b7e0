import { isFrame, type CommandName, type FromBrowser, type RangeQuery, type RangeReply, type Reply } from "../model/wire";
import { HostError, type Capabilities, type FrameListener, type Host } from "./host";
import type { Rest } from "./http";
import { Requests } from "./requests";

/** The part of anywidget's model that the host uses. */
export interface WidgetModel {
  get(name: string): unknown;
  on(name: string, callback: (...args: never[]) => void): void;
  off(name?: string | null, callback?: ((...args: never[]) => void) | null): void;
  send(content: unknown): void;
}

const BUSY = "The kernel has not answered: it is busy or gone. If it is busy, it will take this up when it is free.";

/** Frames over a widget's comm; commands by HTTP where the page's server has jobdeck on the same store. */
export class CommHost implements Host {
  readonly capabilities: Capabilities = { live: true, commands: true };
  private readonly listeners = new Set<FrameListener>();
  private readonly requests: Requests;

  /**
   * @param model - The widget's model.
   * @param rest - The page's server, null where it has no jobdeck on this store.
   * @param timeout - Milliseconds to wait for an answer of the kernel.
   */
  constructor(
    private readonly model: WidgetModel,
    private readonly rest: Promise<Rest | null> = Promise.resolve(null),
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
    return this.requests.ask<Reply>("reply", (request) => this.send({ type: "command", request, id, command }));
  }

  dispose(): void {
    this.model.off("msg:custom", this.take);
    this.model.off("change:_snapshot", this.takeTrait);
    this.listeners.clear();
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

  private send(frame: FromBrowser): void {
    this.model.send(frame);
  }
}
