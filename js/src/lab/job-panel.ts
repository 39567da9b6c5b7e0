import { effect, signal } from "@preact/signals";
import { Session } from "../host/session";
import { Deck } from "../model/deck";
import { mount } from "../view/root";
import { jobsIcon } from "./icon";
import type { Services } from "./services";
import type { JobsPage } from "./tokens";
import { ViewWidget } from "./view-widget";

const LONGEST_LABEL = 60;

/** One job's card in a tab of its own. */
export class JobPanel extends ViewWidget {
  private readonly session: Session;
  private readonly note = signal<string | null>(null);
  private readonly unwatch: () => void;

  constructor(
    private readonly page: JobsPage,
    services: Services,
    readonly jobId: string,
    name: string,
  ) {
    super(true);
    const { trans } = page;
    this.addClass("jobdeck-tab-view");
    this.title.icon = jobsIcon;
    this.title.label = name.slice(0, LONGEST_LABEL) || jobId;
    this.session = new Session(new Deck(), services.connection.open([jobId]));
    const { deck } = this.session;
    this.unwatch = effect(() => {
      const isThere = deck.ids.value.includes(jobId);
      if (deck.applied.value >= 0) this.note.value = isThere ? null : trans.__("The server's store has no job {id}.", { id: jobId });
      const info = deck.job(jobId)?.info.value;
      if (info) {
        this.title.label = info.name.slice(0, LONGEST_LABEL);
        this.title.caption = `${info.name.slice(0, LONGEST_LABEL)}\n${info.id}`;
      }
    });
  }

  /** The job's name, as far as it is known. */
  get name(): string {
    return this.title.label;
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.unwatch();
    super.dispose();
    this.session.dispose();
  }

  protected mount(): () => void {
    return mount(this.node, { session: this.session, layout: "card", note: this.note, trans: this.page.trans, stays: true });
  }
}
