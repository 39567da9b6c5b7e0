import type { BulkOrder, CommandName, FeedFrame, RangeQuery, RangeReply, Reply, Report, RowsFrame, Trouble } from "../model/wire";

/** What a host can do for its views. */
export interface Capabilities {
  /** Frames come in as things happen. */
  readonly live: boolean;
  /** Jobs can be cancelled and retried. */
  readonly commands: boolean;
}

export type FrameListener = (frame: FeedFrame) => void;
export type DeckListener = (frame: RowsFrame | Trouble) => void;

/** The store, and its change number up to which a deck knows everything. */
export interface Known {
  storeId: string;
  change: number;
}

/** A transport between a deck in the browser and the jobs' store. */
export interface Host {
  readonly capabilities: Capabilities;
  /** Hear every frame about its jobs from now on, beginning with a snapshot. Returns what ends it. */
  subscribe(listener: FrameListener): () => void;
  /**
   * Hear of all jobs of the store as rows. Returns what ends it.
   *
   * @param known - Asked whenever the conversation begins, also after a lost connection: what need not be told again; null
   * for nothing.
   */
  deck(listener: DeckListener, known?: () => Known | null): () => void;
  /** A host about these jobs, over the same connection; to be disposed of. */
  cards(ids: readonly string[]): Host;
  /** A frame was missed: ask for a snapshot. */
  resync(): void;
  /** Fetch older messages, older output or a whole body. Rejects with a {@link HostError}. */
  range(query: RangeQuery): Promise<RangeReply>;
  /**
   * Ask for something to be done to a job. Rejects with a {@link HostError} where it cannot even be asked.
   *
   * @param inputs - For a retry: texts of Python literals or JSON by name, in place of the job's inputs.
   */
  command(id: string, command: CommandName, inputs?: Readonly<Record<string, string>>): Promise<Reply>;
  /** Ask for something to be done to many jobs. Rejects with a {@link HostError} where it cannot even be asked. */
  bulk(order: BulkOrder): Promise<Report>;
  dispose(): void;
}

/** A request that did not reach its end; the message is a sentence for people. */
export class HostError extends Error {
  override readonly name: string = "HostError";
}

/** Whoever answers is of another version; the message names both. */
export class VersionError extends HostError {
  override readonly name = "VersionError";
}
