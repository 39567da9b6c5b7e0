import { effect } from "@preact/signals-core";
import { GroupIndex } from "../model/groups";
import type { DeckRow, JobTable } from "../model/table";
import type { GroupInfo } from "../model/wire";
import { elapsed } from "../model/time";

/** Ends this close together are told of together. */
const GATHER = 2_000;
/** A tab that nobody looks at lets those go first that somebody may look at. */
const COURTESY = 1_000;

export interface EndingsOptions {
  /** The shortest time that a job has run, in seconds. */
  after: () => number;
  isHidden: () => boolean;
  /** Returns those of the jobs that no other tab tells of. */
  claim: (ids: readonly string[]) => Promise<ReadonlySet<string>>;
  tell: (ended: readonly DeckRow[]) => void;
  /** A whole group has ended: its jobs, those that were run again left out. */
  tellGroup: (group: GroupInfo, ended: readonly DeckRow[]) => void;
}

/** An executor that takes more calls: how many there will be is known once it is shut down. */
function isOpen(group: GroupInfo): boolean {
  return group.kind === "executor" && group.total === null;
}

/** What is claimed for a whole group: another end of it, after a retry, is told anew. */
function endOf(group: string, ended: number | null): string {
  return `${group} ${ended ?? 0}`;
}

/**
 * Gathers jobs that end while the page watches. One that was cancelled is none: whoever cancelled it knows. The jobs of a
 * group are told of together, once the last of them has ended.
 */
export class Endings {
  private gathered: DeckRow[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly groups: GroupIndex;
  private readonly waiting = new Set<string>();
  private readonly unlisten: () => void;
  private readonly unfollow: () => void;

  constructor(
    private readonly table: JobTable,
    private readonly options: EndingsOptions,
  ) {
    this.groups = new GroupIndex(table);
    this.unlisten = table.onChange((changes) => {
      for (const { row, before } of changes) {
        // A short job may be over when it is first heard of.
        if (before?.final || !row.final) continue;
        if (row.group !== null) this.waiting.add(row.group);
        else if (this.isWorthTelling(row)) this.add(row);
      }
      if (this.waiting.size > 0) this.wake();
    });
    // An executor that is shut down after its last call has ended is told by its group alone.
    this.unfollow = effect(() => {
      if (table.groups.value.size > 0 && table.isComplete.value && this.waiting.size > 0) this.wake();
    });
  }

  dispose(): void {
    this.unlisten();
    this.unfollow();
    clearTimeout(this.timer);
    this.groups.dispose();
    this.waiting.clear();
    this.gathered = [];
  }

  private isWorthTelling(row: DeckRow): boolean {
    if (!row.final || row.status === "CANCELLED") return false;
    return (elapsed(row, this.table.now()) ?? 0) >= this.options.after();
  }

  private add(row: DeckRow): void {
    this.gathered.push(row);
    this.wake();
  }

  private wake(): void {
    const wait = this.options.isHidden() ? GATHER + COURTESY : GATHER;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.tell();
      void this.tellGroups();
    }, wait);
  }

  private async tell(): Promise<void> {
    const rows = this.gathered;
    this.gathered = [];
    if (rows.length === 0) return;
    const ours = await this.options.claim(rows.map((row) => row.id));
    const ended = rows.filter((row) => ours.has(row.id));
    if (ended.length > 0) this.options.tell(ended);
  }

  /** Of the groups in which a job has ended, those that are over. */
  private async tellGroups(): Promise<void> {
    // Whether all of a group has ended is known when all of it has been told.
    if (!this.table.isComplete.peek()) return;
    const ids = [...this.waiting];
    this.waiting.clear();
    for (const id of ids) {
      const standing = this.groups.standing(id);
      const { ended, started } = standing;
      if (ended !== null && isOpen(standing.group)) {
        // A pause between two calls is no end.
        this.waiting.add(id);
        continue;
      }
      if (ended === null || ended - (started ?? ended) < this.options.after()) continue;
      const rows = this.groups.standingRowsOf(id);
      if (rows.every((row) => row.status === "CANCELLED")) continue;
      const key = endOf(id, ended);
      const ours = await this.options.claim([key]);
      if (ours.has(key)) this.options.tellGroup(standing.group, rows);
    }
  }
}
