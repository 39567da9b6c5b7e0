/** What travels between Python and the browser: the TypeScript side of `src/jobdeck/_wire.py`. */

export const PROTOCOL = 1;
export const MIME_TYPE = "application/vnd.jobdeck.jobs.v1+json";

/** Most messages in one answer to a range request. */
export const RANGE_MESSAGES = 1_000;
/** Most bytes of captured output in one answer to a range request. */
export const RANGE_LOG = 262_144;

export interface ErrorInfo {
  kind: string;
  text: string;
  traceback: string | null;
}

export interface ProgressInfo {
  done: number;
  total: number | null;
  message: string | null;
}

/** One job as a view needs it (`JobView` in Python). Times are seconds since the epoch by the kernel's clock. */
export interface JobInfo {
  id: string;
  name: string;
  tags: string[];
  engine: string;
  backend: string | null;
  status: string;
  final: boolean;
  created: number;
  started: number | null;
  ended: number | null;
  queue_place: number | null;
  cancel_state: string | null;
  cancel_asked: number | null;
  cancel_note: string | null;
  can_cancel: boolean;
  progress: ProgressInfo | null;
  interim_count: number;
  log_size: number;
  inputs: Record<string, string>;
  result: string | null;
  error: ErrorInfo | null;
  exit_code: number | null;
  peak_memory: number | null;
  cpu_time: number | null;
  retry_of: string | null;
}

/** `[seq, time, body]`, or `[seq, time, first part, whole length in characters]` where the body was cut. */
export type MessageRow = [seq: number, time: number, body: string] | [seq: number, time: number, body: string, whole: number];

/** Captured output: `text` starts at byte `start`; `end` is the byte after it. */
export interface LogChunk {
  start: number;
  end: number;
  text: string;
}

export interface Snapshot {
  type: "snapshot";
  protocol: number;
  seq: number;
  store_id: string;
  now: number;
  jobs: JobInfo[];
  messages: Record<string, MessageRow[]>;
  logs: Record<string, LogChunk>;
}

export interface Delta {
  type: "delta";
  seq: number;
  jobs?: Record<string, Partial<JobInfo>>;
  added?: JobInfo[];
  removed?: string[];
  messages?: Record<string, MessageRow[]>;
  logs?: Record<string, LogChunk>;
}

export interface RangeReply {
  type: "range";
  request: number;
  id: string;
  error: string | null;
  messages: MessageRow[] | null;
  log: LogChunk | null;
  whole: string | null;
}

export interface Reply {
  type: "reply";
  request: number;
  error: string | null;
  job: JobInfo | null;
}

export interface Trouble {
  type: "trouble";
  error: string | null;
}

/** What changes a deck's state, in order. */
export type FeedFrame = Snapshot | Delta | Trouble;
export type FromKernel = FeedFrame | RangeReply | Reply;

export type CommandName = "cancel" | "kill" | "retry";
export type RangeKind = "messages" | "log" | "body";

/** Messages `start < seq <= stop`, bytes `start <= b < stop` of the log, or the whole body of message `start`. */
export interface RangeQuery {
  id: string;
  what: RangeKind;
  start: number;
  stop?: number;
}

export type FromBrowser =
  | { type: "subscribe"; ids: string[] | null }
  | { type: "resync" }
  | ({ type: "range"; request: number } & RangeQuery)
  | { type: "command"; request: number; id: string; command: CommandName };

export type Layout = "card" | "list";

/** What a saved notebook keeps of a cell's cards. */
export interface Bundle {
  protocol: number;
  store_id: string;
  ids: string[];
  /** It is about the newest jobs of the store and those to come, of which `ids` are those there were. */
  whole: boolean;
  layout: Layout;
  snapshot: Snapshot;
}

const FROM_KERNEL: ReadonlySet<unknown> = new Set(["snapshot", "delta", "range", "reply", "trouble"]);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Tell whether `value` is a frame of this protocol; a frame of another version is not. */
export function isFrame(value: unknown): value is FromKernel {
  if (!isRecord(value) || !FROM_KERNEL.has(value.type)) return false;
  if (value.type === "snapshot") return value.protocol === PROTOCOL && Array.isArray(value.jobs);
  if (value.type === "delta") return typeof value.seq === "number";
  return true;
}

/** Tell whether `value` is a bundle that this version can paint. */
export function isBundle(value: unknown): value is Bundle {
  return isRecord(value) && value.protocol === PROTOCOL && Array.isArray(value.ids) && isFrame(value.snapshot);
}
