import { signal, type ReadonlySignal } from "@preact/signals";
import { followDeck } from "../host/follow";
import { HostError, type Host } from "../host/host";
import { onNextPaint, type Schedule } from "../host/schedule";
import { JobTable } from "../model/table";
import type { Translation } from "../model/translation";
import type { Services } from "./services";

/** The table is followed this long after nobody wants it any more, since panels are shown and hidden in turns. */
const LINGER = 5_000;
/** How long to wait before a server is asked again that could not be reached. */
const AGAIN = 15_000;

/** All jobs of the page's server: one table for all that show it, followed from when the first one does. */
export class PageDeck {
  readonly table = new JobTable();
  private readonly opened = signal<Host | null>(null);
  private readonly words = signal<string | null>(null);
  private users = 0;
  private unfollow: (() => void) | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isAsking = false;

  constructor(
    private readonly services: Services | null,
    private readonly trans: Translation,
    private readonly schedule: Schedule = onNextPaint,
  ) {
    if (!services) this.words.value = trans.__("This page names no Jupyter server that could have jobs.");
  }

  /** Null until somebody has needed it, and on a page without a server that has jobdeck. */
  get host(): ReadonlySignal<Host | null> {
    return this.opened;
  }

  /** Why there are no jobs to show, in words; null where there are. */
  get note(): ReadonlySignal<string | null> {
    return this.words;
  }

  /** Follow the jobs from now on. Returns what ends it. */
  use(): () => void {
    this.users += 1;
    this.wait(null);
    void this.begin();
    let isUsing = true;
    return () => {
      if (!isUsing) return;
      isUsing = false;
      this.users -= 1;
      if (this.users === 0) this.wait(() => this.end(), LINGER);
    };
  }

  private async begin(): Promise<void> {
    const { services } = this;
    if (!services || this.unfollow || this.isAsking) return;
    this.isAsking = true;
    try {
      const info = await services.server();
      this.words.value = info ? null : this.trans.__("The Jupyter server does not have jobdeck: install it where JupyterLab runs.");
      if (!info || this.users === 0) return;
      this.opened.value ??= services.connection.open([]);
      this.unfollow = followDeck(this.opened.value, this.table, this.schedule);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.words.value = error.message;
      if (this.users > 0) this.wait(() => void this.begin(), AGAIN);
    } finally {
      this.isAsking = false;
    }
  }

  private end(): void {
    this.unfollow?.();
    this.unfollow = null;
  }

  private wait(act: (() => void) | null, time = 0): void {
    clearTimeout(this.timer);
    if (act) this.timer = setTimeout(act, time);
  }
}
