import type { ILabShell, JupyterFrontEnd } from "@jupyterlab/application";
import { TabPanel, type Widget } from "@lumino/widgets";

/** Where tabs go: Notebook 7 has one widget in its main area, the notebook, and room below it. */
export function placeOf(labShell: ILabShell | null): "main" | "down" {
  return labShell ? "main" : "down";
}

/** Activate a tab; Notebook 7 shows the room below a notebook, but does not choose among the tabs there. */
export function bringToFront(shell: JupyterFrontEnd.IShell, tab: Widget): void {
  const around = tab.parent?.parent;
  if (around instanceof TabPanel) around.currentWidget = tab;
  shell.activateById(tab.id);
}
