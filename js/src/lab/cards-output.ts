import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { IRenderMime } from "@jupyterlab/rendermime";
import type { ReadonlySignal } from "@preact/signals";
import { Session } from "../host/session";
import { StaticHost } from "../host/static";
import { Deck } from "../model/deck";
import type { Bundle } from "../model/wire";
import type { Translation } from "../model/translation";
import { mount } from "../view/root";
import { Keeper } from "./keeper";
import type { JobsOutput } from "./output";
import type { Services } from "./services";

/** A snapshot this young, in seconds, was made for this page; an older one was saved. */
const FRESH = 30;

/** The cards of some jobs, painted from the output's snapshot and then live. */
export class CardsOutput implements JobsOutput {
  private readonly session: Session;
  private readonly unmount: () => void;
  private keeper: Keeper | null = null;

  constructor(
    element: Element,
    private bundle: Bundle,
    note: ReadonlySignal<string | null>,
    trans: Translation,
  ) {
    const deck = new Deck();
    deck.seed(bundle.snapshot, isFresh(bundle));
    this.session = new Session(deck, new StaticHost());
    this.unmount = mount(element, { session: this.session, layout: bundle.layout, note, trans });
  }

  goLive(services: Services, model: IRenderMime.IMimeModel, context: DocumentRegistry.Context | null): void {
    this.session.connect(services.connection.open(this.bundle.ids));
    this.keeper = new Keeper(this.session.deck, this.bundle, model, services.rest, context);
  }

  stayStill(): void {
    // Nobody tells any more what time it is where the job is.
    this.session.deck.seed(this.bundle.snapshot);
  }

  refresh(services: Services | null, model: IRenderMime.IMimeModel, bundle: Bundle): void {
    const { deck, capabilities } = this.session;
    const known = this.bundle.ids;
    this.bundle = bundle;
    this.keeper?.follow(model);
    if (!capabilities.peek().live || !services) {
      if (bundle.snapshot.now >= deck.now()) deck.seed(bundle.snapshot, isFresh(bundle));
    } else if (bundle.ids.some((id) => !known.includes(id) && !deck.job(id))) {
      // The kernel added jobs to the output, such as a retry.
      this.session.connect(services.connection.open(bundle.ids));
    }
  }

  dispose(): void {
    this.keeper?.dispose();
    this.unmount();
    this.session.dispose();
  }
}

function isFresh(bundle: Bundle): boolean {
  return Math.abs(Date.now() / 1000 - bundle.snapshot.now) < FRESH;
}
