import type { Filter } from "../../model/arrangement";
import { statusesOf, withStatus } from "../../model/query-text";

/** What is wrong with a query, and where. */
export interface QueryFault {
  message: string;
  start: number;
  end: number;
}

/** The filter that a query's text asks for; null and what is wrong with it where it makes no sense. */
export function readFilter(text: string): { filter: Filter; fault: null } | { filter: null; fault: QueryFault } {
  const statuses = statusesOf(text);
  const words = withStatus(text, []).toLowerCase().split(/\s+/).filter(Boolean);
  const filter: Filter = {
    dependsOnTime: false,
    matches: (row) =>
      (statuses.length === 0 || statuses.includes(row.status)) &&
      words.every((word) => row.name.toLowerCase().includes(word) || row.id.includes(word) || row.tags.some((tag) => tag.includes(word))),
  };
  return { filter, fault: null };
}
