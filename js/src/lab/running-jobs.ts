import { Notification } from "@jupyterlab/apputils";
import type { IRunningSessions } from "@jupyterlab/running";
import type { CommandRegistry } from "@lumino/commands";
import { Signal } from "@lumino/signaling";
import { effect } from "@preact/signals";
import { currentJobs } from "../model/current";
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

/** The jobs in the panel of all that runs: shutting one down means to cancel it. */
export class RunningJobs implements IRunningSessions.IManager {
  readonly name: string;
  readonly shutdownLabel: string;
  readonly shutdownAllLabel: string;
  readonly shutdownAllConfirmationText: () => string;
  readonly runningChanged = new Signal<this, void>(this);
  private jobs: readonly DeckRow[] = [];
  private shown = "";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly stop: () => void;

  constructor(
    private readonly page: JobsPage,
    private readonly commands: CommandRegistry,
  ) {
    const { deck, t } = page;
    this.name = t("Jobs");
    this.shutdownLabel = t("Cancel");
    this.shutdownAllLabel = t("Cancel All");
    this.shutdownAllConfirmationText = () => t("Cancel all {count} jobs that run or wait?", { count: count(this.jobs.length) });
    const release = deck.use();
    const unwatch = effect(() => {
      void deck.table.rows.value;
      this.timer ??= setTimeout(() => this.look(), PAUSE);
    });
    this.stop = () => {
      unwatch();
      release();
      clearTimeout(this.timer);
    };
  }

  dispose(): void {
    this.stop();
    Signal.clearData(this);
  }

  running(): IRunningSessions.IRunningItem[] {
    return this.jobs.slice(0, MOST).map((row) => ({
      icon: () => jobsIcon,
      label: () => row.name.slice(0, LONGEST_NAME),
      labelTitle: () => `${row.name.slice(0, LONGEST_NAME)}\n${row.id}`,
      detail: () => detail(row, this.page),
      open: () => void this.commands.execute(Commands.openJob, { id: row.id, name: row.name }),
      shutdown: () => void order(this.page, row.id, "cancel").then(complain),
    }));
  }

  refreshRunning(): void {
    this.look();
  }

  shutdownAll(): void {
    void orderMany(this.page, { command: "cancel", ids: this.jobs.map((row) => row.id) }).then(complain);
  }

  private look(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { running, waiting } = currentJobs(this.page.deck.table.rows.peek(), 0);
    this.jobs = [...running, ...waiting];
    const shown = JSON.stringify(this.jobs.slice(0, MOST).map((row) => [row.id, row.name, detail(row, this.page)]));
    if (shown === this.shown) return;
    this.shown = shown;
    this.runningChanged.emit();
  }
}

function detail(row: DeckRow, { t }: JobsPage): string {
  const part = share(row);
  return part === null ? t(face(row).word) : `${Math.round(part * 100)} %`;
}

function complain(refusal: string | null): void {
  if (refusal !== null) Notification.error(refusal);
}
