import type { JobInfo } from "./wire";

/** A tag and how many of some jobs have it. */
export interface TagCount {
  tag: string;
  count: number;
}

/** The tags of some jobs: those that most of them have first. */
export function tagsOf(jobs: readonly Pick<JobInfo, "tags">[]): TagCount[] {
  const counts = new Map<string, number>();
  for (const { tags } of jobs) for (const tag of new Set(tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  const found = [...counts].map(([tag, count]) => ({ tag, count }));
  return found.sort((a, b) => b.count - a.count || (a.tag < b.tag ? -1 : 1));
}
