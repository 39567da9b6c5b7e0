import type { DeckRow, JobTable } from "../model/table";
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
}

/** Gathers jobs that end while the page watches. One that was cancelled is none: whoever cancelled it knows. */
export class Endings {
  private gathered: DeckRow[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly unlisten: () => void;

  constructor(
    private readonly table: JobTable,
    private readonly options: EndingsOptions,
  ) {
    this.unlisten = table.onChange((changes) => {
      // A short job may be over when it is first heard of.
      for (const { row, before } of changes) if (!before?.final && this.isWorthTelling(row)) this.add(row);
    });
  }

  dispose(): void {
    this.unlisten();
    clearTimeout(this.timer);
    this.gathered = [];
  }

  private isWorthTelling(row: DeckRow): boolean {
    if (!row.final || row.status === "CANCELLED") return false;
    return (elapsed(row, this.table.now()) ?? 0) >= this.options.after();
  }

  private add(row: DeckRow): void {
    this.gathered.push(row);
    if (this.gathered.length > 1) return;
    const wait = this.options.isHidden() ? GATHER + COURTESY : GATHER;
    this.timer = setTimeout(() => void this.tell(), wait);
  }

  private async tell(): Promise<void> {
    const rows = this.gathered;
    this.gathered = [];
    const ours = await this.options.claim(rows.map((row) => row.id));
    const ended = rows.filter((row) => ours.has(row.id));
    if (ended.length > 0) this.options.tell(ended);
  }
}
