import type { CommandName, FeedFrame, RangeQuery, RangeReply, Reply } from "../model/wire";

/** What a host can do for its views. */
export interface Capabilities {
  /** Frames come in as things happen. */
  readonly live: boolean;
  /** Jobs can be cancelled and retried. */
  readonly commands: boolean;
}

export type FrameListener = (frame: FeedFrame) => void;

/** A transport between a deck in the browser and the jobs' store. */
export interface Host {
  readonly capabilities: Capabilities;
  /** Hear every frame from now on, beginning with a snapshot. Returns what ends it. */
  subscribe(listener: FrameListener): () => void;
  /** A frame was missed: ask for a snapshot. */
  resync(): void;
  /** Fetch older messages, older output or a whole body. Rejects with a {@link HostError}. */
  range(query: RangeQuery): Promise<RangeReply>;
  /** Ask for something to be done to a job. Rejects with a {@link HostError} where it cannot even be asked. */
  command(id: string, command: CommandName): Promise<Reply>;
  dispose(): void;
}

/** A request that did not reach its end; the message is a sentence for people. */
export class HostError extends Error {
  override readonly name = "HostError";
}
