import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { IRenderMime, IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { Widget, type Panel } from "@lumino/widgets";
import { askForSave, type Saved } from "../host/saving";
import { MIME_TYPE, type Bundle } from "../model/wire";
import { isSaved } from "./deck-keeper";

export const WIDGET_MIME_TYPE = "application/vnd.jupyter.widget-view+json";

/** Puts the output's ipywidget in place of a saved state, while the kernel that feeds it is there. */
export class WidgetView {
  private renderer: IRenderMime.IRenderer | null = null;
  private factory: IRenderMime.IRendererFactory | undefined;
  private readonly reason = new Widget();
  private readonly observer = new MutationObserver(() => this.choose());

  constructor(
    private readonly rendermime: IRenderMimeRegistry,
    private readonly context: DocumentRegistry.Context | null,
    private model: IRenderMime.IMimeModel,
    private readonly panel: Panel,
    private readonly saved: Widget,
    /** Why it is the widget that shows the jobs, where a person should know; it stands below. */
    why: string | null,
  ) {
    this.reason.hide();
    if (why) {
      this.reason.addClass("jobdeck-root");
      const words = this.reason.node.appendChild(document.createElement("p"));
      words.className = "jobdeck-note";
      words.textContent = why;
      panel.addWidget(this.reason);
    }
    if (!(WIDGET_MIME_TYPE in model.data)) return;
    // A notebook gets its widget manager, and with it another factory, once its kernel is known; nobody is told.
    context?.sessionContext.kernelChanged.connect(this.render);
    context?.sessionContext.statusChanged.connect(this.render);
    context?.saveState.connect(this.beforeSave);
    this.render();
  }

  /** The output has a new model, or the old one has new data. */
  follow(model: IRenderMime.IMimeModel): void {
    this.model = model;
  }

  dispose(): void {
    this.context?.sessionContext.kernelChanged.disconnect(this.render);
    this.context?.sessionContext.statusChanged.disconnect(this.render);
    this.context?.saveState.disconnect(this.beforeSave);
    this.observer.disconnect();
    this.renderer?.dispose();
    this.reason.dispose();
    this.saved.show();
  }

  private readonly render = (): void => {
    const factory = this.rendermime.getFactory(WIDGET_MIME_TYPE);
    if (!factory || factory === this.factory) return;
    this.factory = factory;
    this.observer.disconnect();
    this.renderer?.dispose();
    const renderer = this.rendermime.createRenderer(WIDGET_MIME_TYPE);
    this.renderer = renderer;
    renderer.hide();
    this.panel.insertWidget(1, renderer);
    // The widget manager adds a view when the model is there, which may be never or after a restart, and hides
    // its renderer when the model goes; of that, too, nobody is told.
    this.observer.observe(renderer.node, { childList: true });
    void renderer.renderModel(this.model).then(() => this.choose());
  };

  /** The widget alone knows how its jobs are: the output is told before it is saved. */
  private readonly beforeSave = (_context: unknown, state: DocumentRegistry.SaveState): void => {
    if (state !== "started" || !this.renderer || this.renderer.isDisposed) return;
    const newest = askForSave(this.renderer.node);
    const bundle = this.model.data[MIME_TYPE] as unknown as Bundle | undefined;
    if (!newest || !bundle || isKnown(newest, bundle)) return;
    const data = { ...this.model.data, [MIME_TYPE]: { ...bundle, ...newest } as unknown as IRenderMime.IMimeModel["data"][string] };
    this.model.setData({ data, metadata: this.model.metadata });
  };

  private choose(): void {
    if (!this.renderer || this.renderer.isDisposed) return;
    const hasView = (this.renderer as unknown as Panel).widgets.length > 0;
    this.renderer.setHidden(!hasView);
    this.saved.setHidden(hasView);
    this.reason.setHidden(!hasView);
  }
}

/** Whether the output tells already how all of these jobs ended: a save that has nothing to tell changes nothing. */
function isKnown({ snapshot, deck }: Saved, bundle: Bundle): boolean {
  if (deck) return isSaved(deck, bundle.deck);
  const known = new Map(bundle.snapshot.jobs.map((job) => [job.id, job.status]));
  return (snapshot?.jobs ?? []).every((job) => job.final && known.get(job.id) === job.status);
}
