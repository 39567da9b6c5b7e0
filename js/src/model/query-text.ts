import { nearestStatus, STATUS_WORDS } from "./query/fields";

/** The words of a query as they stand in its text; quotes hold a word together. */
const WORD = /(?:[^\s"']|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)+/g;
const STATUS = /^status:(.*)$/i;

/** Statuses that a query's `status:` terms ask for. */
export function statusesOf(text: string): string[] {
  const found: string[] = [];
  for (const [word] of text.matchAll(WORD)) {
    for (const value of STATUS.exec(word)?.[1]?.split(",") ?? []) {
      const plain = value.replaceAll(/^["']|["']$/g, "");
      if (plain !== "") found.push(...(STATUS_WORDS.get(plain.toLowerCase()) ?? [plain]));
    }
  }
  return [...new Set(found)];
}

/** The query with these statuses in place of those that it asked for; with none it asks for all. */
export function withStatus(text: string, statuses: readonly string[]): string {
  const words = [...text.matchAll(WORD)].map(([word]) => word);
  const rest = words.filter((word) => !STATUS.test(word)).join(" ");
  if (statuses.length === 0) return rest;
  const term = `status:${statuses.map(statusValue).join(",")}`;
  return rest === "" ? term : `${term} ${rest}`;
}

function statusValue(status: string): string {
  const lower = status.toLowerCase();
  if (STATUS_WORDS.get(lower)?.[0] === status) return lower;
  // Without quotes, what is almost a status of ours would be taken for a slip.
  return /^[\w-]+$/.test(status) && nearestStatus(status) === null ? status : `"${status.replaceAll(/["\\]/g, "\\$&")}"`;
}
