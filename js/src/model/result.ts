import type { JobInfo } from "./wire";

/** Texts within a value say nothing of how much of it is here. */
const TEXTS = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/gs;

/**
 * Tell whether a job's result is here as a whole. What is kept elsewhere, is long, or is no plain value (an array, say) is
 * here as a preview alone.
 */
export function isWhole({ result, facts }: Pick<JobInfo, "result" | "facts">): boolean {
  if (result === null || Object.hasOwn(facts, "result")) return false;
  return !/[…<]/.test(result.replace(TEXTS, ""));
}

/** What gets the result itself, in a notebook. */
export function resultCode(id: string): string {
  return `jobdeck.job(${JSON.stringify(id)}).result()`;
}
