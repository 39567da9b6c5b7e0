import { marking as trans } from "./translation";

const WORDS: Readonly<Record<string, string>> = {
  map: trans.__("map"),
  sweep: trans.__("sweep"),
  set: trans.__("set"),
  session: trans.__("session"),
  executor: trans.__("executor"),
  block: trans.__("block"),
};

/** What is called what made a group, not yet translated; a kind that is not known here is its own word. */
export function kindWord(kind: string): string {
  return (Object.hasOwn(WORDS, kind) ? WORDS[kind] : undefined) ?? kind;
}
