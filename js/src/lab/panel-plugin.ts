import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { effect } from "@preact/signals";
import { JobsPanel } from "./jobs-panel";
import { Commands, IJobsPage, type JobsPage } from "./tokens";

const RANK = 350;

async function activate(
  app: JupyterFrontEnd,
  page: JobsPage,
  palette: ICommandPalette | null,
  restorer: ILayoutRestorer | null,
): Promise<void> {
  const { commands, shell } = app;
  const { settings, trans } = page;
  commands.addCommand(Commands.showPanel, {
    label: trans.__("Show Jobs Panel"),
    caption: trans.__("Show the jobs of all kernels beside the work"),
    execute: () => shell.activateById(panel.id),
  });
  palette?.addItem({ command: Commands.showPanel, category: trans.__("Jobs") });
  const panel = new JobsPanel(page, commands);
  // The layout is restored when all plugins are there: the panel has to be at its side by then.
  await settings.ready;
  effect(() => {
    const side = settings.preferences.value.panelSide;
    shell.add(panel, side, { rank: RANK });
  });
  restorer?.add(panel, panel.id);
}

/** A side panel with the jobs of all kernels. */
export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: "jobdeck:panel",
  description: "A side panel with the jobs of all kernels.",
  autoStart: true,
  requires: [IJobsPage],
  optional: [ICommandPalette, ILayoutRestorer],
  activate,
};
