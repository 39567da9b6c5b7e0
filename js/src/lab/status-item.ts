import type { CommandRegistry } from "@lumino/commands";
import { Signal, type ISignal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";
import { computed, effect, type ReadonlySignal } from "@preact/signals";
import { count } from "../model/time";
import { jobsIcon } from "./icon";
import { Commands, type JobsPage } from "./tokens";

/** `8 running · 391 queued`; empty where there are none. */
export function statusText(page: JobsPage): ReadonlySignal<string> {
  const { deck, trans } = page;
  return computed(() => {
    const counts = deck.table.counts.value;
    const running = counts.RUNNING ?? 0;
    const queued = (counts.QUEUED ?? 0) + (counts.VALIDATING ?? 0);
    const parts: string[] = [];
    if (running > 0) parts.push(trans.__("{count} running", { count: count(running) }));
    if (queued > 0) parts.push(trans.__("{count} queued", { count: count(queued) }));
    return parts.join(" · ");
  });
}

/** Counts the jobs in the status bar, and opens the panel. It follows the jobs while the settings want it. */
export class StatusItem extends Widget {
  private readonly toggled = new Signal<this, void>(this);
  private readonly text: ReadonlySignal<string>;
  private readonly stop: () => void;
  private isWanted = false;

  constructor(page: JobsPage, commands: CommandRegistry) {
    super({ node: document.createElement("button") });
    const button = this.node as HTMLButtonElement;
    const { settings, deck, trans } = page;
    this.text = statusText(page);
    button.type = "button";
    this.addClass("jobdeck-status");
    button.title = trans.__("Show the jobs of all kernels");
    button.onclick = () => void commands.execute(Commands.showPanel);
    const words = document.createElement("span");
    jobsIcon.element({ container: button.appendChild(document.createElement("span")), stylesheet: "statusBar" });
    button.append(words);
    const stops = [
      effect(() => {
        this.isWanted = settings.preferences.value.showStatusBar;
        return this.isWanted ? deck.use() : undefined;
      }),
      effect(() => {
        words.textContent = this.text.value;
        void settings.preferences.value;
        this.toggled.emit();
      }),
    ];
    this.stop = () => {
      for (const stop of stops) stop();
    };
  }

  get activeStateChanged(): ISignal<this, void> {
    return this.toggled;
  }

  /** There is something to say, and it may be said. */
  readonly isActive = (): boolean => this.isWanted && this.text.peek() !== "";

  override dispose(): void {
    this.stop();
    super.dispose();
  }
}
