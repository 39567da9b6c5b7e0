/** How long it is remembered what was told; another tab hears of an end at most some seconds later. */
const MEMORY = 120_000;
const KEY = "jobdeck:told";

/** Where tabs of one server leave each other a word. */
export type Shelf = Pick<Storage, "getItem" | "setItem">;
export type Exclusively = <Value>(act: () => Value) => Promise<Value>;

/** One tab at a time; a page that was loaded over plain HTTP from another machine has no locks, and does without. */
export const exclusively: Exclusively = async (act) =>
  "locks" in navigator ? navigator.locks.request(KEY, () => act()) : act();

/** Which ends of jobs a tab has told of, so that with several tabs open one of them tells. */
export class Told {
  constructor(
    private readonly shelf: Shelf,
    private readonly alone: Exclusively = exclusively,
    private readonly clock: () => number = Date.now,
  ) {}

  /** Take over the telling of these jobs' ends. Returns those that no other tab has told of. */
  claim(ids: readonly string[]): Promise<Set<string>> {
    return this.alone(() => {
      const now = this.clock();
      const told = this.read().filter(([, time]) => now - time < MEMORY);
      const known = new Set(told.map(([id]) => id));
      const ours = ids.filter((id) => !known.has(id));
      const all = [...told, ...ours.map((id): [string, number] => [id, now])];
      this.shelf.setItem(KEY, JSON.stringify(all));
      return new Set(ours);
    });
  }

  private read(): [string, number][] {
    try {
      const value: unknown = JSON.parse(this.shelf.getItem(KEY) ?? "[]");
      return Array.isArray(value) ? (value as [string, number][]) : [];
    } catch {
      // Somebody else's word under our name: it is written over.
      return [];
    }
  }
}
