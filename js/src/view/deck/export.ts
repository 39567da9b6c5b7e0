/** Rows as files for other programs. */
import { columnsOf, type Column, type Value } from "../../model/columns";
import type { DeckRow } from "../../model/row";

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/;

/** A file's text as RFC 4180 has it: one line a row below the names of its columns. */
export function toCsv(rows: readonly DeckRow[], columns: readonly Column[] = columnsOf(rows)): string {
  const lines = [columns.map(({ title }) => cell(title)), ...rows.map((row) => columns.map(({ value }) => cell(value(row))))];
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}

function cell(value: Value): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  // Spreadsheets run a text that begins so as a formula, and this one may come from anybody's job.
  const isFormula = /^[=+\-@\t\r\n]/.test(value) && !NUMBER.test(value);
  const text = isFormula ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A JSON array, one line a row. */
export function toJson(rows: readonly DeckRow[]): string {
  return `[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`;
}

/** Milliseconds in which a browser has begun to save a file. */
const SAVING = 10_000;

/** Hand a file to the person, as a download. */
export function saveAs(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  // A page around it (a file browser, say) has no business with this click.
  link.addEventListener("click", (event) => event.stopPropagation());
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), SAVING);
}
