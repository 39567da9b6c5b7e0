import type { ComponentChildren } from "preact";

import type { SortBy } from "../../model/arrangement";
import { fewWords } from "../../model/few-words";
import type { DeckRow } from "../../model/row";
import { face, rank } from "../../model/status";
import { bytes, count, duration, elapsed, moment, share, took } from "../../model/time";
import { marking as trans, type Translation } from "../../model/translation";
import { Badge } from "../parts";
import { Tags } from "../tags";
import type { ColumnState } from "./state";

/** One column of the table. */
export interface Column {
  id: string;
  /** Not yet translated. */
  label: string;
  width: number;
  /** How narrow it may get while nobody has dragged it. */
  least: number;
  /** Figures stand at the end of their cell. */
  isNumber?: boolean;
  /** What it shows, and is sorted by, changes as time goes by while a job runs. */
  ticks?: boolean;
  key: (row: DeckRow, now: number) => number | string | null;
  show: (row: DeckRow, now: number, trans: Translation) => ComponentChildren;
}

/** Characters of a job's text in a cell. */
const LONGEST = 300;
const VALUE = "value:";

const natural = new Map<string, string>();

/** A text as people sort it: without regard to case, and by the numbers in it. */
function naturalKey(text: string): string {
  let key = natural.get(text);
  if (key === undefined) {
    key = text.slice(0, LONGEST).toLowerCase().replaceAll(/\d+/g, (digits) => digits.padStart(12, "0"));
    if (natural.size > 50_000) natural.clear();
    natural.set(text, key);
  }
  return key;
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function words(text: string): ComponentChildren {
  return <bdi>{cut(text)}</bdi>;
}

/** The newest that a job has to say: why it failed, its result, or what it published last. */
export function lastResult(row: DeckRow): string {
  if (row.error) return row.error.text.slice(0, LONGEST).split("\n", 1)[0] ?? "";
  if (row.final && row.result !== null) return fewWords(row.result);
  return row.latest;
}

function Progress({ row, trans }: { row: DeckRow; trans: Translation }): ComponentChildren {
  if (row.final || row.status !== "RUNNING") return null;
  const part = share(row);
  if (part !== null) {
    const percent = Math.round(part * 100);
    return (
      <span class="jobdeck-share">
        <span class="jobdeck-share-bar">
          <span style={{ transform: `scaleX(${part.toFixed(3)})` }} />
        </span>
        <span class="jobdeck-number jobdeck-quiet">{percent}%</span>
      </span>
    );
  }
  const said = row.progress ? trans.__("{done} done", { done: count(row.progress.done) }) : trans.__("no progress reported");
  return <span class="jobdeck-quiet">{said}</span>;
}

function time(label: string, id: "created" | "started" | "ended"): Column {
  return { id, label, width: 96, least: 86, isNumber: true, key: (row) => row[id], show: (row, now, trans) => (row[id] === null ? null : moment(row[id], now, trans)) };
}

function text(id: string, label: string, width: number, read: (row: DeckRow) => string): Column {
  return { id, label, width, least: Math.round(width * 0.55), key: (row) => naturalKey(read(row)) || null, show: (row) => words(read(row)) };
}

const COLUMNS: readonly Column[] = [
  { id: "status", label: trans.__("Status"), width: 128, least: 126, key: (row) => rank(row), show: (row) => <Badge job={row} isQuiet /> },
  text("name", trans.__("Name"), 185, (row) => row.name),
  text("engine", trans.__("Engine"), 130, (row) => (row.backend ? `${row.engine} · ${row.backend}` : row.engine)),
  {
    id: "progress",
    label: trans.__("Progress"),
    width: 150,
    least: 96,
    key: (row) => (row.final ? null : share(row)),
    show: (row, _now, trans) => <Progress row={row} trans={trans} />,
  },
  text("latest", trans.__("Last result"), 175, lastResult),
  // What waits, and what another system has not told the start of, has its place by when it was made: not at the far end.
  { ...time(trans.__("Started"), "started"), key: (row) => row.started ?? (row.final && !row.watched ? null : row.created) },
  {
    id: "took",
    label: trans.__("Took"),
    width: 72,
    least: 64,
    isNumber: true,
    ticks: true,
    key: elapsed,
    show: (row, now) => {
      const ran = elapsed(row, now);
      return ran === null ? null : row.final ? took(ran) : duration(ran);
    },
  },
  { id: "tags", label: trans.__("Tags"), width: 140, least: 70, key: (row) => naturalKey(row.tags[0] ?? "") || null, show: (row) => <Tags tags={row.tags} of="row" /> },
  text("backend", trans.__("Backend"), 120, (row) => row.backend ?? ""),
  time(trans.__("Created"), "created"),
  time(trans.__("Ended"), "ended"),
  {
    id: "memory",
    label: trans.__("Memory"),
    width: 84,
    least: 76,
    isNumber: true,
    key: (row) => row.peak_memory,
    show: (row) => (row.peak_memory === null ? null : bytes(row.peak_memory)),
  },
  {
    id: "cpu",
    label: trans.__("CPU"),
    width: 72,
    least: 60,
    isNumber: true,
    key: (row) => row.cpu_time,
    show: (row) => (row.cpu_time === null ? null : took(row.cpu_time)),
  },
  text("id", trans.__("Id"), 150, (row) => row.id),
  text("inputs", trans.__("Inputs"), 180, (row) =>
    Object.entries(row.inputs)
      .map(([name, value]) => `${name}=${value}`)
      .join(", "),
  ),
];

const BY_ID = new Map(COLUMNS.map((column) => [column.id, column]));
const SHOWN = 7;

function valueColumn(name: string): Column {
  return {
    id: VALUE + name,
    label: name,
    width: 96,
    least: 70,
    isNumber: true,
    key: (row) => valueOf(row, name),
    show: (row) => {
      const value = valueOf(row, name);
      return value === null ? null : number(value);
    },
  };
}

function valueOf(row: DeckRow, name: string): number | null {
  return Object.hasOwn(row.values, name) ? (row.values[name] ?? null) : null;
}

function number(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toLocaleString("en-US") : String(Number(value.toPrecision(6)));
}

/** The column of this id; null for one that there is not. */
export function columnOf(id: string): Column | null {
  return BY_ID.get(id) ?? (id.startsWith(VALUE) && id.length > VALUE.length ? valueColumn(id.slice(VALUE.length)) : null);
}

export function isColumn(id: string): boolean {
  return columnOf(id) !== null;
}

export function defaultColumns(): ColumnState[] {
  return COLUMNS.slice(0, SHOWN).map(({ id, width }) => ({ id, width }));
}

/** All columns that there can be, those of the jobs' own values last. */
export function allColumns(values: Iterable<string>): Column[] {
  return [...COLUMNS, ...[...values].sort().map(valueColumn)];
}

export function sortBy(id: string, descending: boolean): SortBy {
  const column = columnOf(id) ?? (BY_ID.get("started") as Column);
  return { key: column.key, descending, dependsOnTime: column.ticks === true };
}

/** What a header's word becomes: a job's own names stay as they are. */
export function columnLabel(column: Column, trans: Translation): string {
  return column.id.startsWith(VALUE) ? cut(column.label) : trans.gettext(column.label);
}

/** The whole of what a cell shows, for the pointer that rests on it. */
export function hint(column: Column, row: DeckRow, trans: Translation): string | undefined {
  switch (column.id) {
    case "status":
      return row.cancel_note ?? trans.gettext(face(row).word);
    case "name":
      return cut(row.name);
    case "latest":
      return cut(row.error ? row.error.text : lastResult(row));
    case "tags":
      return cut(row.tags.slice(0, LONGEST).join(", "));
    default:
      return undefined;
  }
}
