import { signal } from "@preact/signals";
import { createContext, type RefObject } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { JobState } from "../model/deck";
import type { JobInfo } from "../model/wire";

/** Whether the card around is on the screen: a page may hold hundreds of cards, of which a few can be seen. */
export const SeenContext = createContext(true);

const never = signal(0);

/** Whether an element is on the screen, or nearly. */
export function useSeen(ref: RefObject<HTMLElement | null>): boolean {
  const [isSeen, setSeen] = useState(true);
  useEffect(() => {
    const element = ref.current;
    if (!element || typeof IntersectionObserver === "undefined") return undefined;
    const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting ?? true), {
      rootMargin: "200px",
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return isSeen;
}

/** The job's facts, followed closely while they can be seen, else from state to state. */
export function useInfo(job: JobState): JobInfo {
  const isSeen = useContext(SeenContext);
  if (isSeen) return job.info.value;
  void job.phase.value;
  return job.info.peek();
}

/** Follow a count of changes while it can be seen. Returns the count. */
export function useChanges(changes: JobState["messageChanges"]): number {
  return (useContext(SeenContext) ? changes : never).value;
}
