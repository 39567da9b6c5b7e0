import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, MainAreaWidget, WidgetTracker } from "@jupyterlab/apputils";
import { ILauncher } from "@jupyterlab/launcher";
import { DeckPanel } from "./deck-panel";
import { jobsIcon } from "./icon";
import { bringToFront, placeOf } from "./place";
import { Commands, IJobsPage, type JobsPage } from "./tokens";

type DeckTab = MainAreaWidget<DeckPanel>;

function activate(
  app: JupyterFrontEnd,
  page: JobsPage,
  palette: ICommandPalette | null,
  launcher: ILauncher | null,
  labShell: ILabShell | null,
  restorer: ILayoutRestorer | null,
): void {
  const { commands, shell } = app;
  const { targets, memory, trans } = page;
  const tracker = new WidgetTracker<DeckTab>({ namespace: "jobdeck-deck" });
  commands.addCommand(Commands.open, {
    label: (args) => (args.pointed === true ? trans.__("Show in the Deck") : args.isLauncher === true ? trans.__("Jobs") : trans.__("Open the Deck of Jobs")),
    caption: trans.__("All jobs of all kernels: find, compare, stop and repeat them"),
    icon: (args) => (args.isPalette === true ? undefined : jobsIcon),
    isVisible: (args) => args.pointed !== true || targets.find(args) !== null,
    execute: async (args) => {
      await memory.ready;
      let tab = tracker.find(() => true);
      if (!tab) {
        tab = new MainAreaWidget({ content: new DeckPanel(page) });
        tab.id = "jobdeck-deck";
        tab.toolbar.hide();
        await tracker.add(tab);
      }
      if (!tab.isAttached) shell.add(tab, placeOf(labShell));
      if (typeof args.group === "string") tab.content.goToGroup(args.group);
      else if (typeof args.query === "string") tab.content.go({ query: args.query, open: null });
      else if (args.pointed === true) tab.content.go({ query: "", open: targets.find(args)?.id ?? null });
      bringToFront(shell, tab);
      return tab;
    },
  });
  palette?.addItem({ command: Commands.open, category: trans.__("Jobs"), args: { isPalette: true } });
  launcher?.add({ command: Commands.open, category: "Other", rank: 5, args: { isLauncher: true } });
  if (restorer) void restorer.restore(tracker, { command: Commands.open, name: () => "deck" });
}

/** The deck in a tab: from the launcher, the palette, a menu or a shortcut. */
export const deckPlugin: JupyterFrontEndPlugin<void> = {
  id: "jobdeck:deck",
  description: "Shows all jobs in a tab of its own.",
  autoStart: true,
  requires: [IJobsPage],
  optional: [ICommandPalette, ILauncher, ILabShell, ILayoutRestorer],
  activate,
};
