import type { DeckRow, JobTable } from "../../model/table";
import type { Vocabulary } from "../../model/query";

/** Rows whose words are offered, the newest, and the most words of a kind. */
const MOST_ROWS = 5_000;
const MOST_WORDS = 500;
/** Milliseconds for which words that were gathered are good enough. */
const FRESH = 3_000;

class Words {
  private readonly words = new Set<string>();

  add(word: string | null): void {
    if (word !== null && word !== "" && this.words.size < MOST_WORDS) this.words.add(word);
  }

  sorted(): string[] {
    return [...this.words].sort();
  }
}

function gather(rows: readonly DeckRow[], statuses: string[]): Vocabulary {
  const [tags, names, engines, backends, values] = [new Words(), new Words(), new Words(), new Words(), new Words()];
  for (const row of rows.slice(0, MOST_ROWS)) {
    for (const tag of row.tags.slice(0, MOST_WORDS)) tags.add(tag);
    names.add(row.name);
    engines.add(row.engine);
    backends.add(row.backend);
    for (const name of Object.keys(row.values)) values.add(name);
  }
  const sorted = { tags: tags.sorted(), names: names.sorted(), engines: engines.sorted() };
  return { statuses, ...sorted, backends: backends.sorted(), values: values.sorted() };
}

/** The words that a table's jobs have, gathered when they are asked for. */
export class Vocabularies {
  private last: Vocabulary | null = null;
  private at = 0;

  constructor(private readonly table: JobTable) {}

  get(): Vocabulary {
    const now = performance.now();
    if (!this.last || now - this.at > FRESH) {
      this.last = gather(this.table.rows.peek(), Object.keys(this.table.counts.peek()));
      this.at = now;
    }
    return this.last;
  }
}
