import type { JobTable } from "../../model/table";

export interface Completion {
  start: number;
  end: number;
  options: { text: string; hint: string }[];
}

/** What could stand at the cursor. */
export function complete(text: string, cursor: number, table: JobTable): Completion | null {
  const start = text.slice(0, cursor).search(/\S*$/);
  const word = text.slice(start, cursor).toLowerCase();
  const match = /^status:(\w*)$/.exec(word);
  if (!match) return null;
  const statuses = Object.keys(table.counts.peek()).map((status) => status.toLowerCase());
  const options = statuses.filter((status) => status.startsWith(match[1] ?? "") && status !== match[1]);
  return { start: start + "status:".length, end: cursor, options: options.map((option) => ({ text: option, hint: "" })) };
}
