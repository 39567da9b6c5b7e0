import type { FromBrowser, RowsFrame, Trouble } from "../model/wire";
import type { DeckListener, Known } from "./host";

/** The part of a conversation that is about the whole deck, or one group of it. */
export class DeckTalk {
  private readonly listeners = new Map<DeckListener, () => Known | null>();

  constructor(
    private readonly send: (frame: FromBrowser) => void,
    /** Limits it to the jobs of one group. */
    private readonly group: string | null = null,
  ) {}

  /** Whether anybody listens. */
  get isOn(): boolean {
    return this.listeners.size > 0;
  }

  /** Another one listens. Returns what ends it. */
  add(listener: DeckListener, known: () => Known | null = () => null): () => void {
    this.listeners.set(listener, known);
    this.begin();
    return () => {
      if (this.listeners.delete(listener) && !this.isOn) this.send({ type: "deck", on: false });
    };
  }

  /** Ask for the deck, as somebody joins or the conversation begins anew. */
  begin(): void {
    const [first, ...others] = this.listeners.values();
    if (!first) return;
    // Several listeners know different things: all of them hear it from the beginning.
    const known = others.length === 0 ? first() : null;
    this.send({ type: "deck", on: true, store_id: known?.storeId ?? null, since: known?.change ?? null, ...(this.group !== null && { group: this.group }) });
  }

  take(frame: RowsFrame | Trouble): void {
    for (const listener of [...this.listeners.keys()]) listener(frame);
  }
}
