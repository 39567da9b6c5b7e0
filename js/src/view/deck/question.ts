import { count } from "../../model/time";
import type { BulkName } from "../../model/wire";
import type { Translate } from "../env";

/** More jobs than this are not stopped or repeated without being asked whether that is meant. */
const MANY = 20;

export interface Question {
  title: string;
  text: string;
  action: string;
  danger: boolean;
}

/** What is asked before something is done to `n` jobs; null where it is done at once. */
export function questionFor(command: BulkName, n: number, isAll: boolean, t: Translate): Question | null {
  const jobs = n === 1 ? t("1 job") : t("{n} jobs", { n: count(n) });
  if (command === "delete") {
    const text = t("Their results, messages and output are deleted, too. This cannot be undone.");
    return { title: t("Delete {jobs}?", { jobs }), text, action: t("Delete {jobs}", { jobs }), danger: true };
  }
  if (!isAll && n <= MANY) return null;
  switch (command) {
    case "cancel":
      return {
        title: t("Cancel {jobs}?", { jobs }),
        text: t("Those that run are asked to stop; those that wait do not start."),
        action: t("Cancel {jobs}", { jobs }),
        danger: true,
      };
    case "kill":
      return {
        title: t("Kill {jobs}?", { jobs }),
        text: t("They end at once, without cleaning up."),
        action: t("Kill {jobs}", { jobs }),
        danger: true,
      };
    case "retry":
      return {
        title: t("Run {jobs} again?", { jobs }),
        text: t("Each starts as a new job with the same inputs."),
        action: t("Run {jobs}", { jobs }),
        danger: false,
      };
    default:
      return null;
  }
}
