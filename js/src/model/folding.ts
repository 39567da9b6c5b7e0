/** Lines of a table: jobs, and groups with their jobs below them while they are open. */

const GROUP = "group:";

/** The line of a group. A job's id has no colon. */
export function lineOf(group: string): string {
  return GROUP + group;
}

/** The group whose line this is; null for a job's. */
export function groupOf(line: string): string | null {
  return line.startsWith(GROUP) ? line.slice(GROUP.length) : null;
}

export interface Folded {
  lines: readonly string[];
  /** The jobs of each group that are shown, in their order; also of those that are closed. */
  shown: ReadonlyMap<string, readonly string[]>;
}

const NOTHING: ReadonlyMap<string, readonly string[]> = new Map();

/** Put each group where the first of its jobs would be, with its jobs below it where it is open. */
export function fold(order: readonly string[], groupOfJob: (id: string) => string | null, isOpen: (group: string) => boolean): Folded {
  const shown = new Map<string, string[]>();
  const tops: string[] = [];
  for (const id of order) {
    const group = groupOfJob(id);
    const jobs = group === null ? undefined : shown.get(group);
    if (jobs) jobs.push(id);
    else if (group === null) tops.push(id);
    else {
      shown.set(group, [id]);
      tops.push(lineOf(group));
    }
  }
  if (shown.size === 0) return { lines: order, shown: NOTHING };
  const lines: string[] = [];
  for (const line of tops) {
    lines.push(line);
    const group = groupOf(line);
    if (group !== null && isOpen(group)) for (const id of shown.get(group) ?? []) lines.push(id);
  }
  return { lines, shown };
}
