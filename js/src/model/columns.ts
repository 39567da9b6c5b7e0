/** What a deck's rows are made of, as columns of a file. */
import type { DeckRow } from "./row";
import { elapsed } from "./time";

export type Value = string | number | null;

export interface Column {
  title: string;
  value: (row: DeckRow) => Value;
}

/** `2025-11-20T12:00:00.412+01:00`: local time with its offset from universal time. */
export function isoTime(time: number): string {
  const date = new Date(time * 1_000);
  if (Number.isNaN(date.getTime())) return "";
  const minutes = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1);
  const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");
  return `${local}${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

function moment(time: number | null): string | null {
  return time === null ? null : isoTime(time);
}

const FACTS: readonly Column[] = [
  { title: "id", value: (row) => row.id },
  { title: "name", value: (row) => row.name },
  { title: "status", value: (row) => row.status },
  { title: "tags", value: (row) => row.tags.join(" ") },
  { title: "engine", value: (row) => row.engine },
  { title: "backend", value: (row) => row.backend },
  { title: "created", value: (row) => moment(row.created) },
  { title: "started", value: (row) => moment(row.started) },
  { title: "ended", value: (row) => moment(row.ended) },
  // A file is of the moment at which it is written: what goes on has no duration yet.
  { title: "took", value: (row) => (row.ended === null ? null : elapsed(row, row.ended)) },
  { title: "progress", value: (row) => row.progress?.done ?? null },
  { title: "total", value: (row) => row.progress?.total ?? null },
  { title: "interim_count", value: (row) => row.interim_count },
  { title: "latest", value: (row) => row.latest },
  { title: "result", value: (row) => row.result },
  { title: "error", value: (row) => row.error?.text ?? null },
  { title: "exit_code", value: (row) => row.exit_code },
  { title: "peak_memory", value: (row) => row.peak_memory },
  { title: "cpu_time", value: (row) => row.cpu_time },
  { title: "retry_of", value: (row) => row.retry_of },
  { title: "group", value: (row) => row.group },
];

/** All there is to be told of these rows: their facts, then their inputs, then their numbers, each by name. */
export function columnsOf(rows: readonly DeckRow[]): Column[] {
  const inputs = new Set<string>();
  const values = new Set<string>();
  for (const row of rows) {
    for (const name of Object.keys(row.inputs)) inputs.add(name);
    for (const name of Object.keys(row.values)) values.add(name);
  }
  // A number of an input would repeat the input.
  const numbers = [...values].filter((name) => !inputs.has(name));
  return [
    ...FACTS,
    ...[...inputs].map((name) => ({ title: `input ${name}`, value: (row: DeckRow) => ownOf(row.inputs, name) })),
    ...numbers.map((name) => ({ title: `value ${name}`, value: (row: DeckRow) => ownOf(row.values, name) })),
  ];
}

function ownOf<Part extends Value>(parts: Readonly<Record<string, Part>>, name: string): Part | null {
  return Object.hasOwn(parts, name) ? (parts[name] ?? null) : null;
}
