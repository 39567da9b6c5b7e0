/** A query cannot be read. `start` and `end` are places in its text, between which the bad word stands. */
export class QueryError extends Error {
  constructor(
    message: string,
    readonly start: number,
    readonly end: number,
  ) {
    super(message);
    this.name = "QueryError";
  }
}

/** A word as a message names it. */
export function shown(word: string): string {
  return word.length <= 40 ? word : `${word.slice(0, 39)}…`;
}
