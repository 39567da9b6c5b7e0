import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { IRenderMime } from "@jupyterlab/rendermime";
import { effect, type ReadonlySignal } from "@preact/signals";
import { StaticHost } from "../host/static";
import { JobTable } from "../model/table";
import type { Bundle } from "../model/wire";
import { mountDeck, type DeckState } from "../view/deck";
import { DeckKeeper } from "./deck-keeper";
import { showPageDeck } from "./deck-view";
import type { JobsOutput } from "./output";
import type { Services } from "./services";
import type { JobsPage } from "./tokens";

/** The deck as a cell's output: first what was saved of it, then the page's own. */
export class DeckOutput implements JobsOutput {
  private readonly saved = new JobTable();
  private state: DeckState | null;
  private unmount: () => void;
  private keeper: DeckKeeper | null = null;
  private release: (() => void) | null = null;

  constructor(
    private readonly element: HTMLElement,
    private bundle: Bundle,
    note: ReadonlySignal<string | null>,
    private readonly page: JobsPage,
  ) {
    this.state = page.memory.arrangement;
    if (bundle.deck) this.saved.seed(bundle.deck);
    element.classList.add("jobdeck-in-cell");
    this.unmount = mountDeck(element, { host: new StaticHost(), table: this.saved, trans: page.trans, note, state: this.state, onState: this.keep });
  }

  goLive(services: Services, model: IRenderMime.IMimeModel, context: DocumentRegistry.Context | null): void {
    const { deck } = this.page;
    this.keeper = new DeckKeeper(deck.table, this.bundle, model, services.rest, context);
    const release = deck.use();
    // What was saved stays until there is something to put in its place.
    const stop = effect(() => {
      if (!deck.host.value || (deck.table.rows.value.length === 0 && !deck.table.isComplete.value)) return;
      queueMicrotask(() => stop());
      this.unmount();
      this.unmount = showPageDeck(this.element, this.page, () => this.state, this.keep);
    });
    this.release = () => {
      stop();
      release();
    };
  }

  stayStill(): void {
    // A saved table's time stands still as it is.
  }

  refresh(_services: Services | null, model: IRenderMime.IMimeModel, bundle: Bundle): void {
    this.bundle = bundle;
    this.keeper?.follow(model);
    if (!this.keeper && bundle.deck && bundle.deck.now >= this.saved.now()) this.saved.seed(bundle.deck);
  }

  dispose(): void {
    this.release?.();
    this.keeper?.dispose();
    this.unmount();
    this.element.classList.remove("jobdeck-in-cell");
  }

  private readonly keep = (state: DeckState): void => {
    this.state = state;
    const whole = this.page.memory.whole;
    this.page.memory.keep({ ...state, query: whole?.query ?? "", open: whole?.open ?? null });
  };
}
