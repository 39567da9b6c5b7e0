import type { DeckRow } from "../row";
import { conditionOf } from "./conditions";
import { treeOf } from "./parser";

/** A query that was read; docs/queries.md has the language. */
export interface Query {
  /** Tell whether a job is meant. `now` is the present time by the kernel's clock. */
  matches(row: DeckRow, now: number): boolean;
  /** The answer about a job may change with nothing but time. */
  readonly dependsOnTime: boolean;
  /** It has no term, so that it means every job. */
  readonly isEmpty: boolean;
}

const EVERYTHING: Query = { matches: () => true, dependsOnTime: false, isEmpty: true };

/** Read a query. Throws QueryError, which says what is wrong with which word. */
export function parseQuery(text: string): Query {
  const tree = treeOf(text);
  if (!tree) return EVERYTHING;
  const { check, isTimely } = conditionOf(tree);
  return { matches: check, dependsOnTime: isTimely, isEmpty: false };
}
