import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { IRenderMime } from "@jupyterlab/rendermime";
import { effect } from "@preact/signals";
import { HostError } from "../host/host";
import type { Rest, StaticForms } from "../host/http";
import { TAIL_LOG, TAIL_MESSAGES } from "../host/saving";
import type { Deck } from "../model/deck";
import { MIME_TYPE, PROTOCOL, VERSION, type Bundle, type JobInfo, type Snapshot } from "../model/wire";

/** The kernel updates the output at a job's end, too: if it is there, it comes first. */
const KERNEL_FIRST = 1_500;
/** How old the static forms may be, in milliseconds, that are saved with a job that is still running. */
const FORMS_AGE = 15_000;

/** Keeps what a notebook saves of its jobs up to date: when all have ended, and right before a save. */
export class Keeper {
  private forms: StaticForms | null = null;
  private formsOf = -1;
  private savedAt = -1;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly refreshing: ReturnType<typeof setInterval>;
  private readonly stopWatching: () => void;
  private isDisposed = false;

  constructor(
    private readonly deck: Deck,
    private readonly bundle: Bundle,
    private model: IRenderMime.IMimeModel,
    private readonly rest: Rest,
    private readonly context: DocumentRegistry.Context | null,
  ) {
    this.stopWatching = effect(() => {
      const infos = this.infos();
      if (deck.applied.value >= 0 && infos.length > 0 && infos.every((info) => info.final)) this.whenEnded();
    });
    this.refreshing = setInterval(() => {
      if (this.deck.applied.peek() !== this.formsOf && !document.hidden) void this.fetchForms();
    }, FORMS_AGE);
    context?.saveState.connect(this.beforeSave);
  }

  /** The output has a new model, or the old one has new data. */
  follow(model: IRenderMime.IMimeModel): void {
    this.model = model;
  }

  dispose(): void {
    this.isDisposed = true;
    this.stopWatching();
    clearTimeout(this.timer);
    clearInterval(this.refreshing);
    this.context?.saveState.disconnect(this.beforeSave);
  }

  private infos(): JobInfo[] {
    const ids = this.deck.ids.value;
    return ids.map((id) => this.deck.job(id)?.info.value).filter((info) => info !== undefined);
  }

  private whenEnded(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.isSaved()) return;
      void this.fetchForms().then(() => {
        if (!this.isDisposed && !this.isSaved()) this.write();
      });
    }, KERNEL_FIRST);
  }

  /** Whether the output already tells how all jobs ended: opening a notebook must not change it. */
  private isSaved(): boolean {
    const saved = (this.model.data[MIME_TYPE] as unknown as Partial<Bundle> | undefined)?.snapshot;
    const known = new Map(saved?.jobs.map((job) => [job.id, job.status]));
    return this.deck.ids.peek().every((id) => known.get(id) === this.deck.job(id)?.info.peek().status);
  }

  private readonly beforeSave = (_context: unknown, state: DocumentRegistry.SaveState): void => {
    const applied = this.deck.applied.peek();
    if (state !== "started" || applied < 0 || applied === this.savedAt) return;
    const isOver = this.deck.ids.peek().every((id) => this.deck.job(id)?.info.peek().final);
    if (!(isOver && this.isSaved())) this.write();
  };

  private async fetchForms(): Promise<void> {
    const applied = this.deck.applied.peek();
    try {
      const forms = await this.rest.staticForms(this.deck.ids.peek(), this.bundle.layout);
      if (!forms || this.isDisposed) return;
      this.forms = forms;
      this.formsOf = applied;
    } catch (error) {
      // The server is away: the forms of before stay, and the feed says what is the matter.
      if (!(error instanceof HostError)) throw error;
    }
  }

  private write(): void {
    const snapshot: Snapshot = this.deck.snapshot(TAIL_MESSAGES, TAIL_LOG);
    const ids = snapshot.jobs.map((job) => job.id);
    const bundle: Bundle = { ...this.bundle, protocol: PROTOCOL, version: VERSION, ids, snapshot };
    this.savedAt = this.deck.applied.peek();
    this.model.setData({
      data: {
        ...this.model.data,
        [MIME_TYPE]: bundle as unknown as IRenderMime.IMimeModel["data"][string],
        ...(this.forms && { "text/html": this.forms.html, "text/plain": this.forms.text }),
      },
      metadata: this.model.metadata,
    });
  }
}
