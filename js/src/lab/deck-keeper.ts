import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { IRenderMime } from "@jupyterlab/rendermime";
import { HostError } from "../host/host";
import type { Rest, StaticForms } from "../host/http";
import { firstFrame, firstGroupFrame } from "../model/first-frame";
import type { JobTable } from "../model/table";
import { MIME_TYPE, PROTOCOL, VERSION, type Bundle, type RowsFrame } from "../model/wire";

/** How old the static forms may be, in milliseconds, that are saved with a deck. */
const FORMS_AGE = 15_000;

/** Keeps what a notebook saves of the deck, or of a group, up to date: right before a save it writes the newest jobs into the output. */
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
    /** The group that the output is about; null for all jobs. */
    private readonly group: string | null = null,
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
    const { group } = this;
    const deck = group === null ? firstFrame(this.table) : firstGroupFrame(this.table, group);
    // What other jobs do is nothing to a group: opening its notebook must not change it.
    if (group !== null && isSaved(deck, this.savedDeck())) return;
    const bundle: Bundle = {
      ...this.bundle,
      protocol: PROTOCOL,
      version: VERSION,
      deck,
      ...(group !== null && { group: this.table.groups.peek().get(group) ?? this.bundle.group ?? null }),
    };
    this.model.setData({
      data: {
        ...this.model.data,
        [MIME_TYPE]: bundle as unknown as IRenderMime.IMimeModel["data"][string],
        ...(this.forms && { "text/html": this.forms.html, "text/plain": this.forms.text }),
      },
      metadata: this.model.metadata,
    });
  };

  private savedDeck(): RowsFrame | null {
    return (this.model.data[MIME_TYPE] as unknown as Partial<Bundle> | undefined)?.deck ?? null;
  }

  private async fetchForms(): Promise<void> {
    const { change } = this.table;
    const { group } = this;
    if (group !== null && isSaved(firstGroupFrame(this.table, group), this.savedDeck())) return;
    try {
      const forms = await this.rest.staticForms([], group === null ? "deck" : "group", group);
      if (!forms || this.isDisposed) return;
      this.forms = forms;
      this.formsOf = change;
    } catch (error) {
      // The server is away: the forms of before stay, and the deck says what is the matter.
      if (!(error instanceof HostError)) throw error;
    }
  }
}

/** Whether a saved frame tells how all jobs of this one ended. */
export function isSaved(frame: RowsFrame, saved: RowsFrame | null): boolean {
  const isOver = (frame.rows ?? []).every((row) => ["DONE", "ERROR", "CANCELLED"].includes(row.status));
  const wordsOf = ({ total, counts, groups }: RowsFrame): string => JSON.stringify([total, Object.entries(counts).sort(), groups]);
  return isOver && saved !== null && wordsOf(frame) === wordsOf(saved);
}
