import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { IRenderMime, IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { Panel, Widget } from "@lumino/widgets";
import { signal } from "@preact/signals";
import { Session } from "../host/session";
import { StaticHost } from "../host/static";
import { Deck } from "../model/deck";
import { isBundle, MIME_TYPE, type Bundle } from "../model/wire";
import type { Translate } from "../view/env";
import { mount } from "../view/root";
import { Keeper } from "./keeper";
import type { Services } from "./services";
import { WidgetView } from "./widget-view";

/** Where a renderer lives. */
export interface Surroundings {
  services: Services | null;
  t: Translate;
  /** The notebook's own registry, which knows its widgets; null outside of a notebook. */
  rendermime: IRenderMimeRegistry | null;
  context: DocumentRegistry.Context | null;
}

/** A snapshot this young, in seconds, was made for this page; an older one was saved. */
const FRESH = 30;

/** Shows a bundle's jobs: at once from its snapshot, then live by the shortest way that there is. */
export class JobsRenderer extends Panel implements IRenderMime.IRenderer {
  private readonly view = new Widget();
  private readonly note = signal<string | null>(null);
  private readonly deck = new Deck();
  private session: Session | null = null;
  private unmount: () => void = () => undefined;
  private keeper: Keeper | null = null;
  private widgetView: WidgetView | null = null;
  private shown: Bundle | null = null;

  constructor(private readonly surroundings: Surroundings) {
    super();
    this.addClass("jobdeck-output-area");
    this.addWidget(this.view);
  }

  // Declared by the interface as asynchronous; there is nothing to wait for before the first paint.
  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const bundle = model.data[MIME_TYPE] as unknown;
    if (!isBundle(bundle)) {
      this.clear();
      this.view.node.textContent = this.surroundings.t("These jobs were saved by another version of jobdeck.");
      return Promise.resolve();
    }
    const isSame = this.shown?.store_id === bundle.store_id && this.shown.layout === bundle.layout;
    if (this.session && isSame) this.refresh(this.session, model, bundle);
    else this.begin(model, bundle);
    return Promise.resolve();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.clear();
    super.dispose();
  }

  /** The output was written anew, perhaps by ourselves: the view stays. */
  private refresh(session: Session, model: IRenderMime.IMimeModel, bundle: Bundle): void {
    this.keeper?.follow(model);
    const known = this.shown?.ids ?? [];
    this.shown = bundle;
    const { services } = this.surroundings;
    if (!session.capabilities.peek().live || !services) {
      if (bundle.snapshot.now >= this.deck.now()) this.deck.seed(bundle.snapshot, isFresh(bundle));
    } else if (bundle.ids.some((id) => !known.includes(id) && !this.deck.job(id))) {
      // The kernel added jobs to the output, such as a retry.
      session.connect(services.connection.open(bundle.ids));
    }
  }

  private begin(model: IRenderMime.IMimeModel, bundle: Bundle): void {
    this.clear();
    this.shown = bundle;
    this.deck.seed(bundle.snapshot, isFresh(bundle));
    const session = new Session(this.deck, new StaticHost());
    this.session = session;
    this.unmount = mount(this.view.node, { session, layout: bundle.layout, note: this.note, t: this.surroundings.t });
    void this.goLive(session, model, bundle);
  }

  private async goLive(session: Session, model: IRenderMime.IMimeModel, bundle: Bundle): Promise<void> {
    const { services, rendermime, context, t } = this.surroundings;
    const info = await services?.server();
    if (this.isDisposed || this.session !== session) return;
    if (services && info?.store_id === bundle.store_id) {
      session.connect(services.connection.open(bundle.ids));
      this.keeper = new Keeper(session.deck, bundle, model, services.rest, context);
      return;
    }
    // Nobody tells any more what time it is where the job is.
    session.deck.seed(bundle.snapshot);
    this.note.value = t("Last known state, saved with the notebook.");
    if (rendermime) this.widgetView = new WidgetView(rendermime, context, model, this, this.view);
  }

  private clear(): void {
    this.keeper?.dispose();
    this.widgetView?.dispose();
    this.unmount();
    this.session?.dispose();
    this.keeper = this.widgetView = this.session = null;
    this.unmount = () => undefined;
    this.note.value = null;
    this.view.node.textContent = "";
  }
}

function isFresh(bundle: Bundle): boolean {
  return Math.abs(Date.now() / 1000 - bundle.snapshot.now) < FRESH;
}
