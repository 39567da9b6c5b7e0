/** jobdeck in JupyterLab and Notebook 7. Each plugin is in its own file. */
import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { rendererPlugin } from "./renderer-plugin";

const plugins: JupyterFrontEndPlugin<unknown>[] = [rendererPlugin];

export default plugins;
