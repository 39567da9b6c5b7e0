import type { VNode } from "preact";
import { count } from "../model/time";

const SHOWN = 6;
const LONGEST = 300;
/** So many tags of a job, of a row and of a group reach the page at most; of one that has so many, it may have more. */
const SENT = { job: 100, row: 20 };

/** The first tags of a job or a group, and how many more it has. */
export function Tags({ tags, of }: { tags: readonly string[]; of: keyof typeof SENT }): VNode {
  return (
    <>
      {tags.slice(0, SHOWN).map((tag) => (
        <span key={tag} class="jobdeck-tag" title={tag.slice(0, LONGEST)}>
          <bdi>{tag.slice(0, LONGEST)}</bdi>
        </span>
      ))}
      {tags.length > SHOWN ? (
        <span class="jobdeck-tag">
          +{count(tags.length - SHOWN)}
          {tags.length < SENT[of] ? null : "…"}
        </span>
      ) : null}
    </>
  );
}
