import { batch, computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { HostError, type Host } from "../../host/host";
import { Arrangement, type Filter } from "../../model/arrangement";
import { fold, groupOf, type Folded } from "../../model/folding";
import { GroupIndex } from "../../model/groups";
import { Selection } from "../../model/selection";
import type { QueryError } from "../../model/query";
import { statusesOf, withStatus } from "../../model/query-text";
import type { DeckRow, JobTable } from "../../model/table";
import type { BulkOrder } from "../../model/wire";
import { gather, type BulkResult } from "./bulk";
import { columnOf, sortBy } from "./columns";
import { readFilter } from "./filter";
import { clampWidth, defaultState, readState, type ColumnState, type DeckState } from "./state";

/** What the pane beside the table shows. */
export type Pane = { kind: "job"; id: string } | { kind: "compare"; ids: readonly string[] };

const EVERYTHING: Filter = { dependsOnTime: false, matches: () => true };
/** Groups that are remembered as open. */
const MOST_OPEN = 200;

/** What a person does to one deck view, and what it shows because of that. */
export class DeckControl {
  readonly query = signal("");
  readonly fault = signal<QueryError | null>(null);
  readonly sort = signal(defaultState().sort);
  readonly columns = signal<readonly ColumnState[]>([]);
  readonly hasTimeline = signal(true);
  readonly pane = signal<Pane | null>(null);
  readonly result = signal<BulkResult | null>(null);
  readonly isBusy = signal(false);
  /** Whether a group is one line with its jobs below it, rather than each job a line of its own. */
  readonly isFolding = signal(true);
  readonly groups: GroupIndex;
  readonly selection = new Selection((line) => this.jobsOf(line));
  readonly arrangement: Arrangement;
  /** Rises when a person asked for another order: the table goes to its top then. */
  readonly wishes = signal(0);
  /** Groups that a person opened. */
  private readonly opened = signal<ReadonlySet<string>>(new Set());
  /** What a person opened or closed among the jobs that a query found: there, groups are open at first. */
  private readonly found = signal<ReadonlyMap<string, boolean>>(new Map());
  private readonly stops: (() => void)[];

  constructor(
    readonly host: Host,
    readonly table: JobTable,
    state: unknown,
    onState: (state: DeckState) => void,
    /** Limits the view to some of the table's jobs. */
    private readonly within: Filter = EVERYTHING,
    /** The one group that the table is about; null for a table of all jobs. */
    whole: string | null = null,
  ) {
    const kept = readState(state);
    this.query.value = kept.query;
    this.sort.value = kept.sort;
    this.columns.value = kept.columns;
    this.hasTimeline.value = kept.timeline;
    this.isFolding.value = kept.folding;
    this.opened.value = new Set(kept.groups);
    this.groups = new GroupIndex(table, whole);
    this.pane.value = kept.open === null ? null : { kind: "job", id: kept.open };
    const { filter, fault } = readFilter(kept.query);
    this.fault.value = fault;
    this.arrangement = new Arrangement(table, this.limited(filter ?? EVERYTHING), sortBy(kept.sort.column, kept.sort.descending));
    let isFirst = true;
    this.stops = [
      effect(() => {
        const { shown } = this.folded.value;
        const has = (id: string): boolean => this.arrangement.has(id);
        this.selection.prune(has, (line) => shown.has(groupOf(line) ?? "") || has(line));
      }),
      effect(() => {
        const now = this.state.value;
        if (!isFirst) onState(now);
        isFirst = false;
      }),
      () => this.arrangement.dispose(),
      () => this.groups.dispose(),
    ];
  }

  /** The lines of the table: jobs in their order, groups where the first of their jobs would be. */
  readonly folded: ReadonlySignal<Folded> = computed(() => {
    const order = this.arrangement.order.value;
    if (!this.isFolding.value) return { lines: order, shown: new Map() };
    void this.groups.memberships.value;
    const opened = this.opened.value;
    const found = this.found.value;
    const isSearch = this.query.value.trim() !== "";
    const isOpen = (group: string): boolean => (isSearch ? (found.get(group) ?? true) : opened.has(group));
    return fold(order, (id) => this.table.row(id)?.group ?? null, isOpen);
  });

  isOpen(group: string): boolean {
    return this.query.value.trim() === "" ? this.opened.value.has(group) : (this.found.value.get(group) ?? true);
  }

  /** Show a group's jobs below it, or no longer. */
  setOpen(group: string, isOpen: boolean): void {
    if (this.query.peek().trim() !== "") {
      this.found.value = new Map([...this.found.peek(), [group, isOpen]]);
      return;
    }
    const others = [...this.opened.peek()].filter((other) => other !== group);
    this.opened.value = new Set(isOpen ? [...others, group].slice(-MOST_OPEN) : others);
  }

  /** The jobs that a line stands for: itself, or those of its group that are shown. */
  jobsOf(line: string): readonly string[] {
    const group = groupOf(line);
    return group === null ? [line] : (this.folded.peek().shown.get(group) ?? []);
  }

  /** All that the host of the view keeps. */
  readonly state: ReadonlySignal<DeckState> = computed(() => ({
    query: this.query.value,
    sort: this.sort.value,
    columns: [...this.columns.value],
    open: this.pane.value?.kind === "job" ? this.pane.value.id : null,
    timeline: this.hasTimeline.value,
    folding: this.isFolding.value,
    groups: [...this.opened.value],
  }));

  dispose(): void {
    for (const stop of this.stops) stop();
  }

  /** Type a query; while it has a fault, the jobs of the one before stay. */
  setQuery(text: string): void {
    const { filter, fault } = readFilter(text);
    batch(() => {
      this.query.value = text;
      this.fault.value = fault;
      this.wishes.value += 1;
      this.found.value = new Map();
      if (filter) this.arrangement.setFilter(this.limited(filter));
    });
  }

  /** What limits the view is another than before. */
  refilter(): void {
    const { filter } = readFilter(this.query.peek());
    if (filter) this.arrangement.setFilter(this.limited(filter));
  }

  private limited(filter: Filter): Filter {
    const { within } = this;
    if (within === EVERYTHING) return filter;
    return {
      dependsOnTime: filter.dependsOnTime || within.dependsOnTime,
      matches: (row, now) => within.matches(row, now) && filter.matches(row, now),
    };
  }

  /** Show the jobs of one status, or of one more; of all where it was the only one, or for null. */
  filterStatus(status: string | null, adds: boolean): void {
    const statuses = statusesOf(this.query.peek());
    const isOn = status !== null && statuses.includes(status);
    const others = adds ? statuses.filter((other) => other !== status) : [];
    this.setQuery(withStatus(this.query.peek(), status === null || (isOn && (adds || statuses.length === 1)) ? others : [...others, status]));
  }

  /** Sort by a column; by the one that it is sorted by, the other way round. */
  sortBy(column: string): void {
    const before = this.sort.peek();
    const isText = columnOf(column)?.isNumber !== true;
    const descending = before.column === column ? !before.descending : !isText;
    batch(() => {
      this.sort.value = { column, descending };
      this.wishes.value += 1;
      this.arrangement.setSort(sortBy(column, descending));
    });
  }

  resize(id: string, width: number): void {
    this.columns.value = this.columns.peek().map((column) => (column.id === id ? { id, width: clampWidth(width) } : column));
  }

  setColumns(columns: readonly ColumnState[]): void {
    if (columns.length > 0) this.columns.value = columns;
  }

  open(id: string): void {
    this.pane.value = { kind: "job", id };
  }

  compare(ids: readonly string[]): void {
    this.pane.value = { kind: "compare", ids };
  }

  closePane(): void {
    this.pane.value = null;
  }

  /** The jobs that an action is about, in their order: the selected ones, else all that are shown. */
  scope(): DeckRow[] {
    const selected = this.selection.ids.peek();
    const rows = this.arrangement.rows();
    return selected.size === 0 ? rows : rows.filter((row) => selected.has(row.id));
  }

  /** Show what became of a retry: the one new job, or all of them. */
  private show({ made }: BulkResult): void {
    const [only, ...others] = made;
    if (only !== undefined && others.length === 0) this.open(only);
  }

  /** Run a job again with changed inputs and show the new one. Answers with a sentence that says why not, or null. */
  async retry(id: string, inputs: Readonly<Record<string, string>>): Promise<string | null> {
    const reply = await this.host.command(id, "retry", inputs).catch(sentence);
    if (typeof reply === "string") return reply;
    if (reply.job) this.open(reply.job.id);
    return reply.error;
  }

  /** Do something to jobs and keep the report. */
  async bulk(order: BulkOrder & { ids: readonly string[] }): Promise<void> {
    this.isBusy.value = true;
    this.result.value = null;
    const nameOf = (id: string): string => this.table.row(id)?.name ?? id;
    const names = new Map(order.ids.map((id) => [id, nameOf(id)]));
    try {
      const result = await gather(this.host, order, names);
      this.result.value = result;
      this.show(result);
    } finally {
      this.isBusy.value = false;
    }
  }
}

function sentence(error: unknown): string {
  if (error instanceof HostError) return error.message;
  throw error;
}

export const DeckContext = createContext<DeckControl | null>(null);

export function useDeck(): DeckControl {
  const control = useContext(DeckContext);
  if (!control) throw new Error("a view of the deck was used outside of it");
  return control;
}
