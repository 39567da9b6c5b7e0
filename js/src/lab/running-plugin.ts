import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IRunningSessionManagers } from "@jupyterlab/running";
import { RunningJobs } from "./running-jobs";
import { IJobsPage, type JobsPage } from "./tokens";

function activate(app: JupyterFrontEnd, page: JobsPage, managers: IRunningSessionManagers | null): void {
  managers?.add(new RunningJobs(page, app.commands));
}

/** Lists the jobs beside kernels and terminals, each with a button that stops it. */
export const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: "jobdeck:running",
  description: "Lists the jobs in the panel of what runs, with buttons that stop them.",
  autoStart: true,
  requires: [IJobsPage],
  optional: [IRunningSessionManagers],
  activate,
};
