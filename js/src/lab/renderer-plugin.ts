import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import type { DocumentRegistry } from "@jupyterlab/docregistry";
import { IRenderMimeRegistry, type IRenderMime } from "@jupyterlab/rendermime";
import type { Widget } from "@lumino/widgets";
import { MIME_TYPE } from "../model/wire";
import { JobsRenderer, type Surroundings } from "./renderer";
import { IJobsPage, type JobsPage } from "./tokens";

/** Before the widget's own view, which has -10: it is empty once the kernel is gone. */
const RANK = -20;

/** The part of a notebook panel that is used here; the notebook's package would be its type alone. */
interface NotebookPanel {
  content: { rendermime: IRenderMimeRegistry };
}

function factory(surroundings: Surroundings): IRenderMime.IRendererFactory {
  return {
    // Everything from a job is set as text: an untrusted notebook may show it.
    safe: true,
    mimeTypes: [MIME_TYPE],
    createRenderer: () => new JobsRenderer(surroundings),
  };
}

function activate(app: JupyterFrontEnd, page: JobsPage, rendermime: IRenderMimeRegistry): void {
  rendermime.addFactory(factory({ page, rendermime: null, context: null }), RANK);
  app.docRegistry.addWidgetExtension("Notebook", {
    createNew(panel: Widget, context: DocumentRegistry.Context) {
      // Each notebook has a registry of its own, with its widget manager in it.
      const own = (panel as unknown as NotebookPanel).content.rendermime;
      own.addFactory(factory({ page, rendermime: own, context }), RANK);
    },
  });
}

/** Shows jobs in outputs, also where the kernel is gone. */
export const rendererPlugin: JupyterFrontEndPlugin<void> = {
  id: "jobdeck:renderer",
  description: "Shows jobdeck's jobs in the outputs of notebooks.",
  autoStart: true,
  requires: [IJobsPage, IRenderMimeRegistry],
  activate,
};
