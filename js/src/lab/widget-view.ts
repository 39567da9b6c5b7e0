import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { IRenderMime, IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { Widget, type Panel } from "@lumino/widgets";

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
    private readonly model: IRenderMime.IMimeModel,
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
    this.render();
  }

  dispose(): void {
    this.context?.sessionContext.kernelChanged.disconnect(this.render);
    this.context?.sessionContext.statusChanged.disconnect(this.render);
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

  private choose(): void {
    if (!this.renderer || this.renderer.isDisposed) return;
    const hasView = (this.renderer as unknown as Panel).widgets.length > 0;
    this.renderer.setHidden(!hasView);
    this.saved.setHidden(hasView);
    this.reason.setHidden(!hasView);
  }
}
