import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IStatusBar } from "@jupyterlab/statusbar";
import { StatusItem } from "./status-item";
import { IJobsPage, type JobsPage } from "./tokens";

const RANK = 5;

function activate(app: JupyterFrontEnd, page: JobsPage, statusBar: IStatusBar | null): void {
  if (!statusBar) return;
  const item = new StatusItem(page, app.commands);
  const { isActive, activeStateChanged } = item;
  statusBar.registerStatusItem("jobdeck:status", { item, align: "left", rank: RANK, isActive, activeStateChanged });
}

/** Counts the jobs in the status bar. */
export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: "jobdeck:status",
  description: "Counts the running and the waiting jobs in the status bar.",
  autoStart: true,
  requires: [IJobsPage],
  optional: [IStatusBar],
  activate,
};
