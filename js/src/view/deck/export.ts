/** Rows as files for other programs. */
import { columnsOf, type Column } from "../../model/columns";
import type { DeckRow } from "../../model/row";
import { csvLine } from "../files";

/** A file's text as RFC 4180 has it: one line a row below the names of its columns. */
export function toCsv(rows: readonly DeckRow[], columns: readonly Column[] = columnsOf(rows)): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ value }) => value(row)))];
  return lines.map(csvLine).join("");
}

/** A JSON array, one line a row. */
export function toJson(rows: readonly DeckRow[]): string {
  return `[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`;
}
