import { batch, signal, type ReadonlySignal } from "@preact/signals-core";

/** The jobs that a line of a table stands for. */
export type JobsOf = (line: string) => readonly string[];

/** Which jobs are selected, and at which line the keyboard is. A group's line stands for its jobs. */
export class Selection {
  private readonly chosen = signal<ReadonlySet<string>>(new Set());
  private readonly at = signal<string | null>(null);
  /** Where an extension begins. */
  private anchor: string | null = null;

  constructor(private readonly jobsOf: JobsOf = (line) => [line]) {}

  get ids(): ReadonlySignal<ReadonlySet<string>> {
    return this.chosen;
  }

  /** The line that the keyboard is at. */
  get active(): ReadonlySignal<string | null> {
    return this.at;
  }

  /** Go to a line and leave alone what is selected. */
  go(id: string): void {
    this.at.value = this.anchor = id;
  }

  only(id: string): void {
    batch(() => {
      this.go(id);
      this.chosen.value = new Set(this.jobsOf(id));
    });
  }

  toggle(id: string): void {
    const ids = new Set(this.chosen.peek());
    const jobs = this.jobsOf(id);
    const isOn = jobs.every((job) => ids.has(job));
    for (const job of jobs) {
      if (isOn) ids.delete(job);
      else ids.add(job);
    }
    batch(() => {
      this.go(id);
      this.chosen.value = ids;
    });
  }

  /** Select all from the anchor to a line; `adds` keeps what is selected beside them. */
  extend(id: string, order: readonly string[], adds = false): void {
    const to = order.indexOf(id);
    const from = this.anchor === null ? to : order.indexOf(this.anchor);
    const ids = new Set(adds ? this.chosen.peek() : []);
    const first = from < 0 ? to : Math.min(from, to);
    for (const between of order.slice(first, Math.max(from, to) + 1)) for (const job of this.jobsOf(between)) ids.add(job);
    batch(() => {
      this.anchor ??= id;
      this.at.value = id;
      this.chosen.value = ids;
    });
  }

  all(order: readonly string[]): void {
    this.chosen.value = new Set(order);
  }

  clear(): void {
    if (this.chosen.peek().size > 0) this.chosen.value = new Set();
  }

  /**
   * Nobody acts on what cannot be seen: keep what is still there.
   *
   * @param has - Which jobs are.
   * @param hasLine - Which lines are.
   */
  prune(has: (id: string) => boolean, hasLine: (line: string) => boolean = has): void {
    const ids = [...this.chosen.peek()];
    const kept = ids.filter(has);
    batch(() => {
      if (kept.length < ids.length) this.chosen.value = new Set(kept);
      const { at, anchor } = this;
      if (at.peek() !== null && !hasLine(at.peek() ?? "")) at.value = null;
      if (anchor !== null && !hasLine(anchor)) this.anchor = null;
    });
  }
}
