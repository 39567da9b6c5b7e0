import type { CommandRegistry } from "@lumino/commands";
import { computed } from "@preact/signals";
import { mountPanel } from "../view/panel";
import { jobsIcon } from "./icon";
import { order, orderMany } from "./order";
import { Commands, type JobsPage } from "./tokens";
import { ViewWidget } from "./view-widget";

/** The side panel: the jobs of all kernels that run, wait, or have ended last. */
export class JobsPanel extends ViewWidget {
  constructor(
    private readonly page: JobsPage,
    private readonly commands: CommandRegistry,
  ) {
    super(false);
    this.id = "jobdeck-panel";
    this.title.icon = jobsIcon;
    const { trans } = page;
    this.title.caption = trans.__("Jobs");
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", trans.__("Jobs of all kernels"));
  }

  protected mount(): () => void {
    const { page, commands } = this;
    const { deck, settings, trans } = page;
    const release = deck.use();
    const unmount = mountPanel(this.node, {
      table: deck.table,
      note: deck.note,
      recent: computed(() => settings.preferences.value.recentCount),
      trans,
      onOpen: (row) => void commands.execute(Commands.openJob, { id: row.id, name: row.name }),
      onGroup: (group) => void commands.execute(Commands.open, { group }),
      onDeck: (query) => void commands.execute(Commands.open, query ? { query } : {}),
      onCommand: (id, command) => order(page, id, command),
      onBulk: (bulk) => orderMany(page, bulk),
    });
    return () => {
      unmount();
      release();
    };
  }
}
