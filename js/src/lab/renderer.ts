import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { IRenderMime, IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { Panel, Widget } from "@lumino/widgets";
import { signal } from "@preact/signals";
import { HostError } from "../host/host";
import { isBundle, MIME_TYPE, mismatch, type Bundle } from "../model/wire";
import { CardsOutput } from "./cards-output";
import { DeckOutput } from "./deck-output";
import { GroupOutput } from "./group-output";
import type { JobsOutput } from "./output";
import type { JobsPage } from "./tokens";
import { WidgetView } from "./widget-view";

/** Where a renderer lives. */
export interface Surroundings {
  page: JobsPage;
  /** The notebook's own registry, which knows its widgets; null outside of a notebook. */
  rendermime: IRenderMimeRegistry | null;
  context: DocumentRegistry.Context | null;
}

/** Shows a bundle's jobs: at once as they were saved, then live by the shortest way that there is. */
export class JobsRenderer extends Panel implements IRenderMime.IRenderer {
  private readonly view = new Widget();
  private readonly note = signal<string | null>(null);
  private output: JobsOutput | null = null;
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
    const { page } = this.surroundings;
    const { trans } = page;
    if (!isBundle(bundle)) {
      this.clear();
      this.view.node.textContent = mismatch(bundle) ?? trans.__("These jobs were saved in a form that cannot be shown.");
      return Promise.resolve();
    }
    const isSame = this.shown?.store_id === bundle.store_id && this.shown.layout === bundle.layout && this.shown.group?.id === bundle.group?.id;
    if (this.output && isSame) {
      this.output.refresh(page.services, model, bundle);
      this.widgetView?.follow(model);
    } else {
      this.begin(model, bundle);
    }
    this.shown = bundle;
    return Promise.resolve();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.clear();
    super.dispose();
  }

  private begin(model: IRenderMime.IMimeModel, bundle: Bundle): void {
    this.clear();
    const { page } = this.surroundings;
    const { node } = this.view;
    const { group } = bundle;
    if (bundle.layout === "group" && group) this.output = new GroupOutput(node, { ...bundle, group }, this.note, page);
    else if (bundle.layout === "deck") this.output = new DeckOutput(node, bundle, this.note, page);
    else this.output = new CardsOutput(node, bundle, this.note, page.trans);
    void this.goLive(this.output, model, bundle);
  }

  private async goLive(output: JobsOutput, model: IRenderMime.IMimeModel, bundle: Bundle): Promise<void> {
    const { page, rendermime, context } = this.surroundings;
    const why = await this.whyNotLive(bundle);
    if (this.isDisposed || this.output !== output) return;
    if (why === null && page.services) {
      output.goLive(page.services, model, context);
      return;
    }
    output.stayStill();
    const { trans } = page;
    this.note.value = [trans.__("Last known state, saved with the notebook."), why].filter(Boolean).join(" ");
    if (rendermime) this.widgetView = new WidgetView(rendermime, context, model, this, this.view, why);
  }

  /** Why the page's server does not tell of these jobs; empty where it has no jobdeck, null where it does tell. */
  private async whyNotLive({ store_id }: Bundle): Promise<string | null> {
    const { services, trans } = this.surroundings.page;
    try {
      const info = await services?.server();
      if (!info) return "";
      return info.store_id === store_id ? null : trans.__("The page's Jupyter server has another store of jobs than this output's.");
    } catch (error) {
      if (error instanceof HostError) return error.message;
      throw error;
    }
  }

  private clear(): void {
    this.widgetView?.dispose();
    this.output?.dispose();
    this.output = this.widgetView = this.shown = null;
    this.note.value = null;
    this.view.node.textContent = "";
  }
}
