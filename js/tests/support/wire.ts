/** Frames and jobs for tests, and the fixtures that the Python tests read, too. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Delta, FeedFrame, FromKernel, GroupInfo, JobInfo, LogChunk, MessageRow, RowsFrame, Snapshot, WireRow } from "../../src/model/wire";

export const NOW = 1_763_637_612;
export const HOSTILE = "<img src=x onerror=alert(1)>";

export function makeJob(changes: Partial<JobInfo> = {}): JobInfo {
  return {
    id: "k3v9qa-000000000001",
    name: "vqe-h2",
    tags: [],
    engine: "local",
    backend: null,
    status: "RUNNING",
    final: false,
    created: NOW - 13,
    started: NOW - 12,
    ended: null,
    queue_place: null,
    cancel_state: null,
    cancel_asked: null,
    cancel_note: null,
    can_cancel: true,
    progress: null,
    interim_count: 0,
    log_size: 0,
    inputs: {},
    result: null,
    error: null,
    exit_code: null,
    peak_memory: null,
    cpu_time: null,
    retry_of: null,
    watched: false,
    facts: {},
    chart: null,
    group: null,
    ...changes,
  };
}

export function makeSnapshot(jobs: JobInfo[], parts: Partial<Snapshot> = {}): Snapshot {
  return { type: "snapshot", protocol: 1, seq: 0, store_id: "k3v9qa", now: NOW, jobs, messages: {}, logs: {}, ...parts };
}

export function makeDelta(seq: number, parts: Omit<Delta, "type" | "seq"> = {}): Delta {
  return { type: "delta", seq, ...parts };
}

export function makeRows(from: number, to: number, body: (seq: number) => unknown = (seq) => seq): MessageRow[] {
  return Array.from({ length: to - from + 1 }, (_, i) => [from + i, NOW + i, JSON.stringify(body(from + i))]);
}

export interface Conversation {
  name: string;
  frames: FromKernel[];
  wants_resync?: boolean;
  then?: FromKernel[];
  state: {
    seq: number;
    jobs: JobInfo[];
    messages: Record<string, MessageRow[]>;
    logs: Record<string, LogChunk>;
  };
}

export interface DeckConversation {
  name: string;
  frames: RowsFrame[];
  /** What the table holds after all frames, the newest first. */
  rows: WireRow[];
}

interface Frames {
  limits: Record<string, number | string>;
  conversations: Conversation[];
  deck: DeckConversation[];
  from_kernel: Record<string, FromKernel>;
  from_browser: Record<string, unknown>;
  bundle: unknown;
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(resolve(import.meta.dirname, "../../../tests/wire", name), "utf8"));
}

export const FRAMES = read("frames.json") as Frames;

/** How some jobs stand, and the status that says most about them. */
export interface StandingCase {
  counts: Record<string, number>;
  is_whole?: boolean;
  has_begun?: boolean;
  status: string;
}

export const STANDINGS = read("standings.json") as StandingCase[];

export interface Body {
  name: string;
  body: string;
  display: string;
  numbers: Record<string, unknown>;
}

export const BODIES = read("bodies.json") as Body[];

export function isFeedFrame(frame: FromKernel): frame is FeedFrame {
  return frame.type === "snapshot" || frame.type === "delta" || frame.type === "trouble";
}

/** A row of the deck as it travels. */
export function makeWireRow(number: number, parts: Partial<WireRow> = {}): WireRow {
  const id = `k3v9qa-${String(number).padStart(12, "0")}`;
  return { id, number, name: `job ${number}`, engine: "local", status: "DONE", created: NOW - 1_000 + number, ...parts };
}

export function makeGroup(id: string, parts: Partial<GroupInfo> = {}): GroupInfo {
  return { id, kind: "sweep", name: `set ${id}`, tags: [], total: null, created: NOW - 1_000, ...parts };
}

export function makeRowsFrame(seq: number, parts: Partial<RowsFrame> = {}): RowsFrame {
  const total = parts.rows?.length ?? 0;
  const frame = { type: "rows", protocol: 1, version: "0.1.0", seq, store_id: "k3v9qa", now: NOW, change: seq } as const;
  return { ...frame, reset: seq === 0, more: false, total, counts: { DONE: total }, ...parts };
}
