import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { IRenderMime } from "@jupyterlab/rendermime";
import { effect, untracked, type ReadonlySignal } from "@preact/signals";
import { StaticHost } from "../host/static";
import { JobTable } from "../model/table";
import type { Bundle, GroupInfo } from "../model/wire";
import { mountGroup } from "../view/group";
import { DeckKeeper } from "./deck-keeper";
import type { JobsOutput } from "./output";
import type { Services } from "./services";
import type { JobsPage } from "./tokens";

/** A group as a cell's output: first what was saved of it, then its part of the page's deck. */
export class GroupOutput implements JobsOutput {
  private readonly saved = new JobTable();
  private unmount: () => void;
  private keeper: DeckKeeper | null = null;
  private release: (() => void) | null = null;

  constructor(
    private readonly element: HTMLElement,
    private bundle: Bundle & { group: GroupInfo },
    private readonly note: ReadonlySignal<string | null>,
    private readonly page: JobsPage,
  ) {
    if (bundle.deck) this.saved.seed(bundle.deck);
    this.unmount = mountGroup(element, { host: new StaticHost(), table: this.saved, group: bundle.group.id, isWhole: true, trans: page.trans, note });
  }

  goLive(services: Services, model: IRenderMime.IMimeModel, context: DocumentRegistry.Context | null): void {
    const { deck, trans } = this.page;
    const { id } = this.bundle.group;
    this.keeper = new DeckKeeper(deck.table, this.bundle, model, services.rest, context, id);
    const release = deck.use();
    // What was saved stays until there is something to put in its place: its jobs may come with the older rows.
    const stop = effect(() => {
      const host = deck.host.value;
      const { rows, isComplete } = deck.table;
      if (!host || !isComplete.value || !rows.value.some((row) => row.group === id)) return;
      queueMicrotask(() => stop());
      untracked(() => {
        this.unmount();
        this.unmount = mountGroup(this.element, { host, table: deck.table, group: id, trans, note: this.note });
      });
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
    this.bundle = { ...bundle, group: bundle.group ?? this.bundle.group };
    this.keeper?.follow(model);
    if (!this.keeper && bundle.deck && bundle.deck.now >= this.saved.now()) this.saved.seed(bundle.deck);
  }

  dispose(): void {
    this.release?.();
    this.keeper?.dispose();
    this.unmount();
  }
}
