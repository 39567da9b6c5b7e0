import { defaultState, type DeckState } from "../view/deck";
import { showPageDeck } from "./deck-view";
import { jobsIcon } from "./icon";
import type { JobsPage } from "./tokens";
import { ViewWidget } from "./view-widget";

/** The deck in a tab of its own. */
export class DeckPanel extends ViewWidget {
  constructor(private readonly page: JobsPage) {
    super(true);
    this.addClass("jobdeck-deck-view");
    const { trans } = page;
    this.title.icon = jobsIcon;
    this.title.label = trans.__("Jobs");
    this.title.caption = trans.__("Jobs of all kernels");
  }

  /** Go to a group, and show its jobs. */
  goToGroup(group: string): void {
    const { groups } = this.page.memory.whole ?? defaultState();
    this.go({ query: "", open: null, folding: true, groups: [...groups.filter((other) => other !== group), group] });
  }

  /** Go to some of the jobs, or to one. */
  go(changes: Partial<Pick<DeckState, "query" | "open" | "folding" | "groups">>): void {
    const { memory } = this.page;
    memory.keep({ ...(memory.whole ?? defaultState()), ...changes });
    this.remount();
  }

  protected mount(): () => void {
    const { memory } = this.page;
    return showPageDeck(this.node, this.page, () => memory.whole, (state) => memory.keep(state));
  }
}
