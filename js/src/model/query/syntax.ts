export type Operator = ":" | "<" | "<=" | ">" | ">=" | "=" | "!=";

/** A word of a query and where it stands. A quoted one is text as it is: no pattern, no status. */
export interface Word {
  text: string;
  isQuoted: boolean;
  start: number;
  end: number;
}

/** A comparison of a field (`name`) with any of some words; without a name, words to look for. */
export interface Term {
  kind: "term";
  name: Word | null;
  operator: Operator;
  words: readonly Word[];
}

/** What the parser makes of a query. */
export type Node = Term | { kind: "not"; part: Node } | { kind: "all" | "any"; parts: readonly Node[] };
