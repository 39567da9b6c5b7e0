import { count } from "../../model/time";
import type { BulkName } from "../../model/wire";
import type { Translation } from "../../model/translation";

/** More jobs than this are not stopped or repeated without being asked whether that is meant. */
const MANY = 20;

export interface Question {
  title: string;
  text: string;
  action: string;
  danger: boolean;
}

/** What is asked before something is done to `n` jobs; null where it is done at once. */
export function questionFor(command: BulkName, n: number, isAll: boolean, trans: Translation): Question | null {
  const jobs = n === 1 ? trans.__("1 job") : trans.__("{n} jobs", { n: count(n) });
  if (command === "delete") {
    const text = trans.__("Their results, messages and output are deleted, too. This cannot be undone.");
    return { title: trans.__("Delete {jobs}?", { jobs }), text, action: trans.__("Delete {jobs}", { jobs }), danger: true };
  }
  if (!isAll && n <= MANY) return null;
  switch (command) {
    case "cancel":
      return {
        title: trans.__("Cancel {jobs}?", { jobs }),
        text: trans.__("Those that run are asked to stop; those that wait do not start."),
        action: trans.__("Cancel {jobs}", { jobs }),
        danger: true,
      };
    case "kill":
      return {
        title: trans.__("Kill {jobs}?", { jobs }),
        text: trans.__("They end at once, without cleaning up."),
        action: trans.__("Kill {jobs}", { jobs }),
        danger: true,
      };
    case "retry":
      return {
        title: trans.__("Run {jobs} again?", { jobs }),
        text: trans.__("Each starts as a new job with the same inputs."),
        action: trans.__("Run {jobs}", { jobs }),
        danger: false,
      };
    default:
      return null;
  }
}
