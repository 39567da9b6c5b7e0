import { Notification } from "@jupyterlab/apputils";
import type { CommandRegistry } from "@lumino/commands";
import type { DeckRow } from "../model/table";
import type { GroupInfo } from "../model/wire";
import { groupNotice, notice, repeatable, type Notice } from "./notice";
import { orderMany } from "./order";
import { Commands, type JobsPage } from "./tokens";

/** How long a notification stays by itself, in milliseconds; it can be found again in the list of them. */
const STAY = 10_000;

/** The browser's own notifications: some browsers have none, and none are there over plain HTTP from another machine. */
type System = typeof globalThis.Notification;

/** Says in JupyterLab, and outside of it where the person wants that, that jobs have ended. */
export class Notices {
  private hasAsked = false;

  constructor(
    private readonly page: JobsPage,
    private readonly commands: CommandRegistry,
    private readonly system: System | undefined = globalThis.Notification,
  ) {}

  tell(ended: readonly DeckRow[]): void {
    const { trans } = this.page;
    this.say(notice(ended, trans), trans.__("Retry"), () => this.open(ended));
  }

  /** One word for a whole group, however many jobs it has. */
  tellGroup(group: GroupInfo, ended: readonly DeckRow[]): void {
    const show = (): void => void this.commands.execute(Commands.open, { group: group.id });
    const { trans } = this.page;
    this.say(groupNotice(group, ended, trans), trans.__("Retry failed"), show);
  }

  private say(said: Notice, retryLabel: string, open: () => void): void {
    const { trans, settings } = this.page;
    const again = repeatable(said.failed);
    const actions: Notification.IAction[] = [{ label: trans.__("Open"), callback: open, displayType: "accent" }];
    if (again.length > 0) actions.push({ label: retryLabel, callback: () => void this.retry(again) });
    Notification.emit(said.text, said.tone, { autoClose: STAY, actions });
    if (document.hidden && settings.preferences.peek().systemNotifications) this.tellOutside(said, open);
  }

  /** Ask the browser whether it may; only within a person's gesture will it listen. */
  async ask(): Promise<boolean> {
    const { trans } = this.page;
    if (!this.system) {
      Notification.warning(trans.__("This browser has no system notifications for this page. They need HTTPS, or a server on this machine."));
      return false;
    }
    const permission = this.system.permission === "default" ? await this.system.requestPermission() : this.system.permission;
    if (permission === "granted") return true;
    Notification.warning(trans.__("The browser does not allow this page to use the system's notifications; its settings for this site can."));
    return false;
  }

  /** The setting is on, but the browser has not been asked: offer a button whose click is the gesture. */
  askOnce(): void {
    const { trans } = this.page;
    if (this.hasAsked || this.system?.permission !== "default") return;
    this.hasAsked = true;
    Notification.info(trans.__("May jobdeck tell outside of the browser that a job has ended?"), {
      autoClose: false,
      actions: [{ label: trans.__("Allow"), callback: () => void this.ask(), displayType: "accent" }],
    });
  }

  private tellOutside(said: Notice, open: () => void): void {
    if (this.system?.permission !== "granted") return;
    const { trans } = this.page;
    const shown = new this.system(trans.__("Jobs"), { body: said.text, tag: said.text });
    shown.onclick = () => {
      window.focus();
      open();
      shown.close();
    };
  }

  private open(ended: readonly DeckRow[]): void {
    const [row] = ended;
    if (row && ended.length === 1) void this.commands.execute(Commands.openJob, { id: row.id, name: row.name });
    else void this.commands.execute(Commands.open);
  }

  private async retry(failed: readonly DeckRow[]): Promise<void> {
    const refusal = await orderMany(this.page, { command: "retry", ids: failed.map((row) => row.id) });
    if (refusal !== null) Notification.error(refusal);
  }
}
