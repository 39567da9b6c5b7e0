import type { IRenderMime, IRenderMimeRegistry } from "@jupyterlab/rendermime";
import type { Panel, Widget } from "@lumino/widgets";

export const WIDGET_MIME_TYPE = "application/vnd.jupyter.widget-view+json";

/** Puts the output's ipywidget in place of a saved state, while the kernel that feeds it is there. */
export class WidgetView {
  private readonly renderer: IRenderMime.IRenderer | null = null;
  private readonly observer = new MutationObserver(() => this.choose());

  constructor(
    rendermime: IRenderMimeRegistry,
    model: IRenderMime.IMimeModel,
    private readonly panel: Panel,
    private readonly saved: Widget,
  ) {
    if (!(WIDGET_MIME_TYPE in model.data) || !rendermime.mimeTypes.includes(WIDGET_MIME_TYPE)) return;
    this.renderer = rendermime.createRenderer(WIDGET_MIME_TYPE);
    this.renderer.hide();
    panel.addWidget(this.renderer);
    // The widget manager adds a view when the model is there, which may be never or after a restart, and hides
    // its renderer when the model goes; it tells nobody.
    this.observer.observe(this.renderer.node, { childList: true });
    void this.renderer.renderModel(model).then(() => this.choose());
  }

  dispose(): void {
    this.observer.disconnect();
    this.renderer?.dispose();
    this.saved.show();
  }

  private choose(): void {
    if (!this.renderer || this.renderer.isDisposed) return;
    const hasView = (this.renderer as unknown as Panel).widgets.length > 0;
    this.renderer.setHidden(!hasView);
    this.saved.setHidden(hasView);
    this.panel.update();
  }
}
