import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { effect } from "@preact/signals";
import { Endings } from "./endings";
import { Notices } from "./notices";
import { Told } from "./told";
import { Commands, IJobsPage, type JobsPage } from "./tokens";

function activate(app: JupyterFrontEnd, page: JobsPage, palette: ICommandPalette | null): void {
  const { commands } = app;
  const { deck, settings, trans } = page;
  const notices = new Notices(page, commands);
  const told = new Told(localStorage);
  effect(() => {
    if (!settings.preferences.value.notify) return undefined;
    const release = deck.use();
    const endings = new Endings(deck.table, {
      after: () => settings.preferences.peek().notifyAfter,
      isHidden: () => document.hidden,
      claim: (ids) => told.claim(ids),
      tell: (ended) => notices.tell(ended),
      tellGroup: (group, ended) => notices.tellGroup(group, ended),
    });
    return () => {
      endings.dispose();
      release();
    };
  });
  effect(() => {
    if (settings.preferences.value.systemNotifications) notices.askOnce();
  });
  commands.addCommand(Commands.systemNotifications, {
    label: trans.__("Tell of Ended Jobs Outside of the Browser"),
    caption: trans.__("While the page is hidden, the system's own notification tells that a job has ended"),
    isToggleable: true,
    isToggled: () => settings.preferences.peek().systemNotifications,
    execute: async () => {
      const wish = !settings.preferences.peek().systemNotifications;
      // A browser wants to be asked within the gesture itself, before the setting is kept.
      if (wish && !(await notices.ask())) return;
      await settings.set("systemNotifications", wish);
    },
  });
  palette?.addItem({ command: Commands.systemNotifications, category: trans.__("Jobs") });
}

/** Tells that jobs have ended. */
export const notifyPlugin: JupyterFrontEndPlugin<void> = {
  id: "jobdeck:notifications",
  description: "Tells that jobs have ended.",
  autoStart: true,
  requires: [IJobsPage],
  optional: [ICommandPalette],
  activate,
};
