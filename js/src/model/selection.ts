import { batch, signal, type ReadonlySignal } from "@preact/signals-core";

/** Which jobs of an order are selected, and at which of them the keyboard is. */
export class Selection {
  private readonly chosen = signal<ReadonlySet<string>>(new Set());
  private readonly at = signal<string | null>(null);
  /** Where an extension begins. */
  private anchor: string | null = null;

  get ids(): ReadonlySignal<ReadonlySet<string>> {
    return this.chosen;
  }

  /** The job that the keyboard is at. */
  get active(): ReadonlySignal<string | null> {
    return this.at;
  }

  /** Go to a job and leave alone what is selected. */
  go(id: string): void {
    this.at.value = this.anchor = id;
  }

  only(id: string): void {
    batch(() => {
      this.go(id);
      this.chosen.value = new Set([id]);
    });
  }

  toggle(id: string): void {
    const ids = new Set(this.chosen.peek());
    if (!ids.delete(id)) ids.add(id);
    batch(() => {
      this.go(id);
      this.chosen.value = ids;
    });
  }

  /** Select all from the anchor to a job; `adds` keeps what is selected beside them. */
  extend(id: string, order: readonly string[], adds = false): void {
    const to = order.indexOf(id);
    const from = this.anchor === null ? to : order.indexOf(this.anchor);
    const ids = new Set(adds ? this.chosen.peek() : []);
    const first = from < 0 ? to : Math.min(from, to);
    for (const between of order.slice(first, Math.max(from, to) + 1)) ids.add(between);
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

  /** Nobody acts on what cannot be seen: keep what is still there. */
  prune(has: (id: string) => boolean): void {
    const ids = [...this.chosen.peek()];
    const kept = ids.filter(has);
    batch(() => {
      if (kept.length < ids.length) this.chosen.value = new Set(kept);
      const { at, anchor } = this;
      if (at.peek() !== null && !has(at.peek() ?? "")) at.value = null;
      if (anchor !== null && !has(anchor)) this.anchor = null;
    });
  }
}
