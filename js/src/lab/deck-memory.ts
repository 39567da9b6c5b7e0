import type { IStateDB } from "@jupyterlab/statedb";
import type { ReadonlyPartialJSONValue } from "@lumino/coreutils";
import { readState, type DeckState } from "../view/deck";

const KEY = "jobdeck:deck";
/** A person who drags a column changes the state many times in a second. */
const PAUSE = 500;

/** How a person has arranged the deck; it is kept with the workspace where the application has a place for that. */
export class DeckMemory {
  /** What was kept of the last time is known. */
  readonly ready: Promise<void>;
  private state: DeckState | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly place: IStateDB | null) {
    this.ready = place ? this.load(place) : Promise.resolve();
  }

  /** Everything, for the deck's own tab. */
  get whole(): DeckState | null {
    return this.state;
  }

  /** The arrangement alone, for one more deck: what is sought and open in one is not so in another. */
  get arrangement(): DeckState | null {
    return this.state && { ...this.state, query: "", open: null };
  }

  keep(state: DeckState): void {
    this.state = state;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.place?.save(KEY, state as unknown as ReadonlyPartialJSONValue), PAUSE);
  }

  private async load(place: IStateDB): Promise<void> {
    const kept = await place.fetch(KEY);
    if (kept !== undefined && this.state === null) this.state = readState(kept);
  }
}
