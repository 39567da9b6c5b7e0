import type { Filter } from "../../model/arrangement";
import { parseQuery, QueryError } from "../../model/query";

export type ReadFilter = { filter: Filter; fault: null } | { filter: null; fault: QueryError };

/** The filter that a query's text asks for, or what is wrong with it. */
export function readFilter(text: string): ReadFilter {
  try {
    return { filter: parseQuery(text), fault: null };
  } catch (error) {
    if (error instanceof QueryError) return { filter: null, fault: error };
    throw error;
  }
}
