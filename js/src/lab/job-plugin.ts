import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, MainAreaWidget, WidgetTracker } from "@jupyterlab/apputils";
import { bringToFront, placeOf } from "./place";
import { JobPanel } from "./job-panel";
import { Commands, IJobsPage, type JobsPage } from "./tokens";

type JobTab = MainAreaWidget<JobPanel>;

function activate(
  app: JupyterFrontEnd,
  page: JobsPage,
  palette: ICommandPalette | null,
  labShell: ILabShell | null,
  restorer: ILayoutRestorer | null,
): void {
  const { commands, shell } = app;
  const { services, targets, trans } = page;
  if (!services) return;
  const tracker = new WidgetTracker<JobTab>({ namespace: "jobdeck-job" });
  commands.addCommand(Commands.openJob, {
    label: trans.__("Open Job in a Tab"),
    isEnabled: (args) => targets.find(args) !== null,
    execute: (args) => {
      const target = targets.find(args);
      if (!target) return;
      const { id, name } = target;
      let tab = tracker.find((other) => other.content.jobId === id);
      if (!tab) {
        tab = new MainAreaWidget({ content: new JobPanel(page, services, id, name) });
        tab.id = `jobdeck-job-${id}`;
        tab.toolbar.hide();
        void tracker.add(tab);
        shell.add(tab, placeOf(labShell));
      }
      bringToFront(shell, tab);
    },
  });
  palette?.addItem({ command: Commands.openJob, category: trans.__("Jobs") });
  if (restorer) {
    void restorer.restore(tracker, {
      command: Commands.openJob,
      args: (tab) => ({ id: tab.content.jobId, name: tab.content.name }),
      name: (tab) => tab.content.jobId,
    });
  }
}

/** Opens one job in a tab of its own. */
export const jobPlugin: JupyterFrontEndPlugin<void> = {
  id: "jobdeck:job",
  description: "Shows one job in a tab of its own.",
  autoStart: true,
  requires: [IJobsPage],
  optional: [ICommandPalette, ILabShell, ILayoutRestorer],
  activate,
};
