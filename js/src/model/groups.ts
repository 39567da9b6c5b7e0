import { signal, type ReadonlySignal, type Signal } from "@preact/signals-core";
import type { DeckRow } from "./row";
import { foremost, isOurs, ranked, type Tally } from "./status";
import type { JobTable } from "./table";
import type { GroupInfo } from "./wire";

/** How a group's jobs stand. */
export interface Standing {
  group: GroupInfo;
  /** How many jobs it is to have: those that there are, or more where that is known. */
  total: number;
  jobs: number;
  tallies: readonly Tally[];
  final: number;
  failed: number;
  cancelled: number;
  /** Those of the failed that jobdeck can run again. */
  repeatable: number;
  /** Neither ended nor asked to stop in vain: these can be cancelled. */
  underWay: number;
  /** When the first one started; null while none has. */
  started: number | null;
  /** When the last one ended, once all have; null before that. */
  ended: number | null;
  /** The newest of all times at which one was made, started or ended. */
  active: number;
  engines: readonly string[];
}

/** Which jobs of a table belong together, and how each group stands. */
export class GroupIndex {
  private readonly members = new Map<string, Set<string>>();
  private readonly watched = new Map<string, Signal<number>>();
  private readonly joined = signal(0);
  private readonly known = new Map<string, { version: number; standing: Standing }>();
  private readonly stop: () => void;

  /**
   * @param table - The jobs.
   * @param whole - The group that the table is about, where it has no other jobs: it counts those that have not come, too.
   */
  constructor(
    private readonly table: JobTable,
    private readonly whole: string | null = null,
  ) {
    for (const row of table.rows.peek()) this.put(row);
    this.stop = table.onUpdate(({ changes, removed }) => {
      const touched = new Set<string>();
      for (const { row, before } of changes) {
        if (before && before.group !== row.group) this.drop(before, touched);
        if (row.group !== null) {
          touched.add(row.group);
          this.put(row);
        }
      }
      for (const row of removed) this.drop(row, touched);
      for (const id of touched) this.version(id).value += 1;
    });
  }

  /** Changes when a job joins or leaves a group. */
  get memberships(): ReadonlySignal<number> {
    return this.joined;
  }

  /** Ids of a group's jobs. */
  jobsOf(id: string): ReadonlySet<string> {
    return this.members.get(id) ?? new Set();
  }

  rowsOf(id: string): DeckRow[] {
    return [...this.jobsOf(id)].map((job) => this.table.row(job)).filter((row) => row !== undefined);
  }

  /** Ids of its jobs that have not ended, those first that have not started. */
  openOf(id: string): string[] {
    // In this order, no job that is to be cancelled takes the place of one that has just been.
    const open = this.rowsOf(id).filter((row) => !row.final);
    return [...open.filter((row) => row.started === null), ...open.filter((row) => row.started !== null)].map((row) => row.id);
  }

  /** Ids of its jobs for which newer ones stand. */
  repeatedOf(id: string): ReadonlySet<string | null> {
    return repeated(this.rowsOf(id));
  }

  /** The jobs that it stands by: for one that was run again in it, the newer one. */
  standingRowsOf(id: string): DeckRow[] {
    return standingRows(this.rowsOf(id));
  }

  /** Ids of its jobs that failed and can be run again. */
  failedOf(id: string): string[] {
    return this.standingRowsOf(id).filter(isRepeatable).map((row) => row.id);
  }

  /** How a group stands; whoever reads this within an effect follows it. */
  standing(id: string): Standing {
    const version = this.version(id).value;
    const group = this.table.groups.value.get(id) ?? this.unnamed(id);
    const known = this.known.get(id);
    const counts = this.whole === id && !this.table.isComplete.value ? this.table.counts.value : null;
    if (counts) return counted(standingOf(group, this.rowsOf(id)), counts);
    const isKnown = known?.version === version && known.standing.group === group;
    const standing = isKnown ? known.standing : standingOf(group, this.rowsOf(id));
    this.known.set(id, { version, standing });
    return this.table.isComplete.value ? standing : begun(standing);
  }

  dispose(): void {
    this.stop();
  }

  /** A group of which nothing is known but its jobs. */
  private unnamed(id: string): GroupInfo {
    const known = this.known.get(id)?.standing.group;
    if (known) return known;
    const [first] = this.rowsOf(id).sort((a, b) => a.number - b.number);
    return { id, kind: "", name: first?.name ?? id, tags: [], total: null, created: first?.created ?? 0 };
  }

  private version(id: string): Signal<number> {
    let version = this.watched.get(id);
    if (!version) {
      version = signal(0);
      this.watched.set(id, version);
    }
    return version;
  }

  private put(row: DeckRow): void {
    if (row.group === null) return;
    let jobs = this.members.get(row.group);
    if (!jobs) this.members.set(row.group, (jobs = new Set()));
    if (jobs.has(row.id)) return;
    jobs.add(row.id);
    this.joined.value += 1;
  }

  private drop(row: DeckRow, touched: Set<string>): void {
    if (row.group === null || !this.members.get(row.group)?.delete(row.id)) return;
    touched.add(row.group);
    if (this.jobsOf(row.group).size === 0) this.members.delete(row.group);
    this.joined.value += 1;
  }
}

function isRepeatable(row: DeckRow): boolean {
  return row.status === "ERROR" && isOurs(row);
}

/** Ids of the jobs that were run again in their group. */
function repeated(rows: readonly DeckRow[]): ReadonlySet<string | null> {
  return new Set(rows.map((row) => row.retry_of));
}

/** The jobs that a group stands by: for one that was run again in it, the newer one. */
function standingRows(rows: readonly DeckRow[]): DeckRow[] {
  const again = repeated(rows);
  return rows.filter((row) => !again.has(row.id));
}

/** Sum up how some jobs stand. */
export function standingOf(group: GroupInfo, all: readonly DeckRow[]): Standing {
  const rows = standingRows(all);
  const counts: Record<string, number> = {};
  const engines = new Set<string>();
  let final = 0;
  let underWay = 0;
  let started: number | null = null;
  let ended = 0;
  let active = group.created;
  for (const row of rows) {
    counts[row.status] = (counts[row.status] ?? 0) + 1;
    engines.add(row.engine);
    if (row.final) final += 1;
    else if (row.can_cancel && row.cancel_state === null) underWay += 1;
    if (row.started !== null) started = Math.min(started ?? row.started, row.started);
    if (row.ended !== null) ended = Math.max(ended, row.ended);
    active = Math.max(active, row.ended ?? row.started ?? row.created);
  }
  const total = Math.max(group.total ?? 0, rows.length);
  return {
    group,
    total,
    jobs: rows.length,
    tallies: ranked(counts),
    final,
    failed: counts.ERROR ?? 0,
    cancelled: counts.CANCELLED ?? 0,
    repeatable: rows.filter(isRepeatable).length,
    underWay,
    started,
    ended: rows.length > 0 && final === total ? ended : null,
    active,
    engines: [...engines],
  };
}

/**
 * The same while the newest jobs are known and others are still to be told: where all that are known have ended, so have
 * those before them, rather than that a set of last week runs until its last page has come.
 */
function begun(standing: Standing): Standing {
  const { jobs, final, total, active } = standing;
  return jobs > 0 && final === jobs && jobs < total ? { ...standing, final: total, ended: active } : standing;
}

/** The same where some of the jobs are known by their number alone. */
function counted(some: Standing, counts: Readonly<Record<string, number>>): Standing {
  const tallies = ranked(counts);
  const jobs = tallies.reduce((sum, { count }) => sum + count, 0);
  const final = ["DONE", "ERROR", "CANCELLED"].reduce((sum, status) => sum + (counts[status] ?? 0), 0);
  const total = Math.max(some.total, jobs);
  const ended = final === total && some.jobs > 0 ? some.active : null;
  return { ...some, total, jobs, tallies, final, failed: counts.ERROR ?? 0, cancelled: counts.CANCELLED ?? 0, ended };
}

/** The status that says most about a group. */
export function statusOf({ tallies, final, total, started }: Standing): string {
  return foremost(tallies, { isWhole: final >= total, hasBegun: started !== null });
}

/** Seconds that a group has been at work; null before that. */
export function elapsedOf({ started, ended }: Standing, now: number): number | null {
  return started === null ? null : Math.max(0, (ended ?? now) - started);
}

/** Seconds left by the jobs that have ended so far; null where nothing tells. */
export function leftOf(standing: Standing, now: number): number | null {
  const { final, total } = standing;
  const elapsed = elapsedOf(standing, now);
  return elapsed === null || final === 0 || final >= total ? null : (elapsed / final) * (total - final);
}
