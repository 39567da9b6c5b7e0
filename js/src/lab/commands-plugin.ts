import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, Notification } from "@jupyterlab/apputils";
import type { CommandRegistry } from "@lumino/commands";
import type { ReadonlyPartialJSONObject } from "@lumino/coreutils";
import { HostError } from "../host/host";
import { isWhole, resultCode } from "../model/result";
import type { CommandName } from "../model/wire";
import { copy } from "../view/clipboard";
import { order } from "./order";
import { fetchResult } from "./result";
import type { Target } from "./target";
import { Commands, IJobsPage, type JobsPage } from "./tokens";

const FINAL = ["DONE", "ERROR", "CANCELLED"];

function activate(app: JupyterFrontEnd, page: JobsPage, palette: ICommandPalette | null): void {
  const { services, deck, targets, trans } = page;
  if (!services) return;
  const statusOf = (target: Target): string => deck.table.row(target.id)?.status ?? target.status;
  const isFinal = (target: Target): boolean => FINAL.includes(statusOf(target));

  const add = (command: string, label: string, may: (target: Target) => boolean, act: (target: Target) => Promise<string | null>): void => {
    const can = (args: ReadonlyPartialJSONObject): boolean => {
      const target = targets.find(args);
      return target !== null && may(target);
    };
    const options: CommandRegistry.ICommandOptions = {
      label,
      isEnabled: can,
      // In a menu that was opened on a job, what cannot be done to it is left out.
      isVisible: (args) => args.pointed !== true || can(args),
      execute: async (args) => {
        const target = targets.find(args);
        const refusal = target && (await act(target));
        if (refusal) Notification.error(refusal);
      },
    };
    app.commands.addCommand(command, options);
    palette?.addItem({ command, category: trans.__("Jobs") });
  };
  const addOrder = (command: string, name: CommandName, label: string, may: (target: Target) => boolean): void =>
    add(command, label, may, (target) => order(page, target.id, name));

  addOrder(Commands.cancel, "cancel", trans.__("Cancel Job"), (target) => !isFinal(target));
  addOrder(Commands.kill, "kill", trans.__("Kill Job Now"), (target) => !isFinal(target));
  addOrder(Commands.retry, "retry", trans.__("Retry Job"), isFinal);
  const put = async (text: string): Promise<string | null> => ((await copy(text)) ? null : trans.__("The browser did not let it be copied."));
  add(Commands.copyId, trans.__("Copy Job Id"), () => true, (target) => put(target.id));
  add(Commands.copyResult, trans.__("Copy Result"), (target) => statusOf(target) === "DONE", async (target) => {
    try {
      const info = await fetchResult(services.connection, target.id, trans);
      if (info.result === null) return trans.__("The job has no result.");
      const refusal = await put(info.result);
      if (refusal === null && !isWhole(info)) Notification.info(trans.__("Copied a preview of the result. {code} gets all of it.", { code: resultCode(info.id) }));
      return refusal;
    } catch (error) {
      if (error instanceof HostError) return error.message;
      throw error;
    }
  });
}

/** What can be done to a job, from menus, the palette and shortcuts. */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: "jobdeck:commands",
  description: "Commands on single jobs: cancel, kill, retry, copy.",
  autoStart: true,
  requires: [IJobsPage],
  optional: [ICommandPalette],
  activate,
};
