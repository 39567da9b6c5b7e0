/** jobdeck in JupyterLab and Notebook 7. Each plugin is in its own file. */
import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { isVoila } from "../host/page";
import { commandsPlugin } from "./commands-plugin";
import { deckPlugin } from "./deck-plugin";
import { jobPlugin } from "./job-plugin";
import { notifyPlugin } from "./notify-plugin";
import { pagePlugin } from "./page-plugin";
import { panelPlugin } from "./panel-plugin";
import { rendererPlugin } from "./renderer-plugin";
import { runningPlugin } from "./running-plugin";
import { statusPlugin } from "./status-plugin";

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a plugin provides differs, as Lab's own lists have it
const plugins: JupyterFrontEndPlugin<any>[] = [
  pagePlugin,
  rendererPlugin,
  deckPlugin,
  jobPlugin,
  panelPlugin,
  statusPlugin,
  runningPlugin,
  notifyPlugin,
  commandsPlugin,
];

// Voila loads Lab's extensions and has neither notebooks nor most services for them: there the cells' widgets show jobs.
export default isVoila(document) ? [] : plugins;
