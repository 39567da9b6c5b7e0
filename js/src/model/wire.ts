/** What travels between Python and the browser: the TypeScript side of `src/jobdeck/_wire.py`. */

/** The version of jobdeck that this front end is a part of. */
export const VERSION = "0.1.0";
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

/** Counts of outcomes, the largest ones; `more` outcomes were left out. */
export interface HistogramInfo {
  kind: "histogram";
  labels: string[];
  counts: number[];
  shots: number;
  more: number;
}

/** Values with their standard errors, where there are any; `more` were left out. null: not a finite number. */
export interface EstimatesInfo {
  kind: "estimates";
  values: (number | null)[];
  errors: (number | null)[] | null;
  labels: string[] | null;
  more: number;
}

/** Several charts of one result, such as one for each circuit. */
export interface ChartsInfo {
  kind: "many";
  charts: (HistogramInfo | EstimatesInfo)[];
  titles: string[];
  more: number;
}

export type ChartInfo = HistogramInfo | EstimatesInfo | ChartsInfo;

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
  queue_place: number | string | null;
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
  /** Somebody else runs it: it cannot be retried here, and what stops it is up to that system. */
  watched: boolean;
  /** What the foreign system tells beside the status. */
  facts: Record<string, string | number>;
  /** A picture of the result. */
  chart: ChartInfo | null;
  /** The group that the job belongs to. */
  group: string | null;
}

/** A group of jobs (`GroupView` in Python). */
export interface GroupInfo {
  id: string;
  /** What made it: `map`, `sweep`, `set`, `session`, `batch`, `executor`. */
  kind: string;
  name: string;
  tags: string[];
  /** How many jobs it is to have, where that is known. */
  total: number | null;
  created: number;
}

/** `[seq, time, body]`, or `[seq, time, first part, whole length in characters]` where the body was cut. */
export type MessageRow = [seq: number, time: number, body: string] | [seq: number, time: number, body: string, whole: number];

/** A row of the deck as it travels: values that say nothing are left out. `fillRow` in `table.ts` puts them in. */
export type WireRow = Pick<JobInfo, "id" | "name" | "engine" | "status" | "created"> &
  Partial<JobInfo> & {
    number: number;
    latest?: string;
    values?: Record<string, number>;
  };

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

/** Rows of the whole deck: the newest ones first, then the older ones, then what changes. See `Rows` in Python. */
export interface RowsFrame {
  type: "rows";
  protocol: number;
  version: string;
  seq: number;
  store_id: string;
  now: number;
  change: number;
  reset: boolean;
  more: boolean;
  total: number;
  counts: Record<string, number>;
  rows?: WireRow[];
  /** Changed keys by id; null for a value that is gone. */
  changes?: Record<string, Record<string, unknown>>;
  removed?: string[];
  /** Groups of this frame's rows that were not told before, and those that changed. */
  groups?: GroupInfo[];
}

export type Outcome = "cancelled" | "asked" | "ended" | "retried" | "deleted" | "tagged" | "missing" | "refused";

/** What became of each job of a bulk request. */
export interface Report {
  type: "report";
  request: number;
  error: string | null;
  outcomes: Record<string, Outcome>;
  counts: Partial<Record<Outcome, number>>;
  /** The new job's id by the old one's. */
  made: Record<string, string>;
  reasons: Record<string, string>;
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
export type FromKernel = FeedFrame | RowsFrame | RangeReply | Reply | Report;

export type CommandName = "cancel" | "kill" | "retry";
export type BulkName = "cancel" | "kill" | "retry" | "delete" | "tag";

/** What is to be done to many jobs: to `ids`, or to all that `query` finds. `add` and `remove` are tags. */
export interface BulkOrder {
  command: BulkName;
  ids?: readonly string[];
  query?: string;
  add?: readonly string[];
  remove?: readonly string[];
}

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
  | { type: "command"; request: number; id: string; command: CommandName; inputs?: Record<string, string> }
  | ({ type: "bulk"; request: number } & BulkOrder)
  | { type: "deck"; on: boolean; store_id?: string | null; since?: number | null; group?: string | null };

export type Layout = "card" | "list" | "deck" | "group";

/** What a saved notebook keeps of a cell's cards. */
export interface Bundle {
  protocol: number;
  version: string;
  store_id: string;
  /** None for the layout `deck`, which is about all jobs of the store. */
  ids: string[];
  layout: Layout;
  snapshot: Snapshot;
  /** The first frame of the layout `deck`, null for the others. */
  deck: RowsFrame | null;
  /** With the layout `group`, the one that `deck` is about. */
  group?: GroupInfo | null;
}

const FROM_KERNEL: ReadonlySet<unknown> = new Set(["snapshot", "delta", "rows", "range", "reply", "report", "trouble"]);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Tell whether `value` is a frame of this protocol; a frame of another one is not (see {@link mismatch}). */
export function isFrame(value: unknown): value is FromKernel {
  if (!isRecord(value) || !FROM_KERNEL.has(value.type)) return false;
  if (value.type === "snapshot") return value.protocol === PROTOCOL && Array.isArray(value.jobs);
  if (value.type === "rows") return value.protocol === PROTOCOL && typeof value.seq === "number" && isRecord(value.counts);
  if (value.type === "delta") return typeof value.seq === "number";
  return true;
}

/**
 * Say in words what keeps this front end from understanding something that names its protocol: a frame, a bundle, or what
 * a server says about itself. null where it is of this protocol, or names none.
 */
export function mismatch(value: unknown): string | null {
  if (!isRecord(value) || typeof value.protocol !== "number" || value.protocol === PROTOCOL) return null;
  const theirs = typeof value.version === "string" ? `jobdeck ${value.version}` : "another version of jobdeck";
  const newer = value.protocol > PROTOCOL;
  return (
    `This page has jobdeck ${VERSION} (protocol ${PROTOCOL}); these jobs come from ${theirs} (protocol ${value.protocol}). ` +
    `Install the newer version of the two ${newer ? "where JupyterLab runs" : "where these jobs come from"}, restart it, and load the page again.`
  );
}

/** Tell whether `value` is a group. */
export function isGroup(value: unknown): value is GroupInfo {
  return isRecord(value) && typeof value.id === "string" && typeof value.name === "string" && Array.isArray(value.tags);
}

/** Tell whether `value` is a bundle that this version can paint. */
export function isBundle(value: unknown): value is Bundle {
  return isRecord(value) && value.protocol === PROTOCOL && Array.isArray(value.ids) && isFrame(value.snapshot);
}
