import { Notification } from "@jupyterlab/apputils";
import type { IRunningSessions } from "@jupyterlab/running";
import type { CommandRegistry } from "@lumino/commands";
import { Signal } from "@lumino/signaling";
import { effect } from "@preact/signals";
import { currentItems, currentJobs, type CurrentItem } from "../model/current";
import { GroupIndex } from "../model/groups";
import { face } from "../model/status";
import type { DeckRow } from "../model/table";
import { count, share } from "../model/time";
import { jobsIcon } from "./icon";
import { order, orderMany } from "./order";
import { Commands, type JobsPage } from "./tokens";

/** Items on the page; what waits behind them is in the deck. */
const MOST = 200;
const LONGEST_NAME = 200;
/** The list is made anew at most this often: its view draws every item each time. */
const PAUSE = 1_000;

/** The jobs in the panel of all that runs, those of a group as one: shutting one down means to cancel it. */
export class RunningJobs implements IRunningSessions.IManager {
  readonly name: string;
  readonly shutdownLabel: string;
  readonly shutdownAllLabel: string;
  readonly shutdownAllConfirmationText: () => string;
  readonly runningChanged = new Signal<this, void>(this);
  private readonly groups: GroupIndex;
  private jobs: readonly DeckRow[] = [];
  private items: readonly CurrentItem[] = [];
  private shown = "";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly stop: () => void;

  constructor(
    private readonly page: JobsPage,
    private readonly commands: CommandRegistry,
  ) {
    const { deck, trans } = page;
    this.name = trans.__("Jobs");
    this.shutdownLabel = trans.__("Cancel");
    this.shutdownAllLabel = trans.__("Cancel All");
    this.shutdownAllConfirmationText = () => trans.__("Cancel all {count} jobs that run or wait?", { count: count(this.jobs.length) });
    const release = deck.use();
    this.groups = new GroupIndex(deck.table);
    const unwatch = effect(() => {
      void deck.table.rows.value;
      void deck.table.groups.value;
      this.timer ??= setTimeout(() => this.look(), PAUSE);
    });
    this.stop = () => {
      unwatch();
      this.groups.dispose();
      release();
      clearTimeout(this.timer);
    };
  }

  dispose(): void {
    this.stop();
    Signal.clearData(this);
  }

  running(): IRunningSessions.IRunningItem[] {
    return this.items.slice(0, MOST).map((item) => ({
      icon: () => jobsIcon,
      label: () => nameOf(item),
      labelTitle: () => `${nameOf(item)}\n${item.id}`,
      detail: () => detail(item, this.page),
      open: () => this.open(item),
      shutdown: () => this.cancel(item),
    }));
  }

  refreshRunning(): void {
    this.look();
  }

  shutdownAll(): void {
    void orderMany(this.page, { command: "cancel", ids: this.jobs.map((row) => row.id) }).then(complain);
  }

  private open(item: CurrentItem): void {
    if ("row" in item) void this.commands.execute(Commands.openJob, { id: item.id, name: item.row.name });
    else void this.commands.execute(Commands.open, { group: item.id });
  }

  private cancel(item: CurrentItem): void {
    const { page, groups } = this;
    const answer = "row" in item ? order(page, item.id, "cancel") : orderMany(page, { command: "cancel", ids: groups.openOf(item.id) });
    void answer.then(complain);
  }

  private look(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const rows = this.page.deck.table.rows.peek();
    const jobs = currentJobs(rows, 0);
    this.jobs = [...jobs.running, ...jobs.waiting];
    const { running, waiting } = currentItems(rows, 0, (row) => !row.final, (id) => this.groups.standing(id));
    this.items = [...running, ...waiting];
    const shown = JSON.stringify(this.items.slice(0, MOST).map((item) => [item.id, nameOf(item), detail(item, this.page)]));
    if (shown === this.shown) return;
    this.shown = shown;
    this.runningChanged.emit();
  }
}

function nameOf(item: CurrentItem): string {
  return ("row" in item ? item.row.name : item.standing.group.name).slice(0, LONGEST_NAME);
}

function detail(item: CurrentItem, { trans }: JobsPage): string {
  if ("row" in item) {
    const part = share(item.row);
    return part === null ? trans.gettext(face(item.row).word) : `${Math.round(part * 100)} %`;
  }
  const { final, total } = item.standing;
  return trans.__("{done} of {n} jobs", { done: count(final), n: count(total) });
}

function complain(refusal: string | null): void {
  if (refusal !== null) Notification.error(refusal);
}
