/** The words of a query as they stand in its text, with their places; quotes hold a word together. */
const WORD = /(?:[^\s"']|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)+/g;
const STATUS = /^status:(.*)$/i;

/** Statuses that a query's `status:` terms ask for, in capitals. */
export function statusesOf(text: string): string[] {
  const found: string[] = [];
  for (const [word] of text.matchAll(WORD)) {
    const value = STATUS.exec(word)?.[1];
    if (value) found.push(...value.split(",").filter(Boolean).map((status) => status.replaceAll(/^["']|["']$/g, "").toUpperCase()));
  }
  return [...new Set(found)];
}

/** The query with these statuses in place of those that it asked for; with none it asks for all. */
export function withStatus(text: string, statuses: readonly string[]): string {
  const rest = text
    .replaceAll(WORD, (word) => (STATUS.test(word) ? "" : word))
    .replaceAll(/\s{2,}/g, " ")
    .trim();
  if (statuses.length === 0) return rest;
  const term = `status:${statuses.map((status) => (/^[\w-]+$/.test(status) ? status.toLowerCase() : JSON.stringify(status))).join(",")}`;
  return rest === "" ? term : `${term} ${rest}`;
}
