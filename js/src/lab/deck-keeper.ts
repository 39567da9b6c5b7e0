import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { IRenderMime } from "@jupyterlab/rendermime";
import { HostError } from "../host/host";
import type { Rest, StaticForms } from "../host/http";
import { firstFrame } from "../model/first-frame";
import type { JobTable } from "../model/table";
import { MIME_TYPE, PROTOCOL, VERSION, type Bundle } from "../model/wire";

/** How old the static forms may be, in milliseconds, that are saved with a deck. */
const FORMS_AGE = 15_000;

/** Keeps what a notebook saves of the deck up to date: right before a save it writes the newest jobs into the output. */
export class DeckKeeper {
  private forms: StaticForms | null = null;
  private formsOf = -1;
  private savedAt = -1;
  private isDisposed = false;
  private readonly refreshing: ReturnType<typeof setInterval>;

  constructor(
    private readonly table: JobTable,
    private readonly bundle: Bundle,
    private model: IRenderMime.IMimeModel,
    private readonly rest: Rest,
    private readonly context: DocumentRegistry.Context | null,
  ) {
    this.savedAt = bundle.deck?.change ?? -1;
    this.refreshing = setInterval(() => {
      if (this.table.change > Math.max(this.formsOf, this.savedAt) && !document.hidden) void this.fetchForms();
    }, FORMS_AGE);
    context?.saveState.connect(this.beforeSave);
  }

  /** The output has a new model, or the old one has new data. */
  follow(model: IRenderMime.IMimeModel): void {
    this.model = model;
  }

  dispose(): void {
    this.isDisposed = true;
    clearInterval(this.refreshing);
    this.context?.saveState.disconnect(this.beforeSave);
  }

  private readonly beforeSave = (_context: unknown, state: DocumentRegistry.SaveState): void => {
    const { change } = this.table;
    if (state !== "started" || change <= this.savedAt) return;
    this.savedAt = change;
    const { store_id, snapshot } = this.bundle;
    const bundle: Bundle = { protocol: PROTOCOL, version: VERSION, store_id, ids: [], layout: "deck", snapshot, deck: firstFrame(this.table) };
    this.model.setData({
      data: {
        ...this.model.data,
        [MIME_TYPE]: bundle as unknown as IRenderMime.IMimeModel["data"][string],
        ...(this.forms && { "text/html": this.forms.html, "text/plain": this.forms.text }),
      },
      metadata: this.model.metadata,
    });
  };

  private async fetchForms(): Promise<void> {
    const { change } = this.table;
    try {
      const forms = await this.rest.staticForms([], "deck");
      if (!forms || this.isDisposed) return;
      this.forms = forms;
      this.formsOf = change;
    } catch (error) {
      // The server is away: the forms of before stay, and the deck says what is the matter.
      if (!(error instanceof HostError)) throw error;
    }
  }
}
