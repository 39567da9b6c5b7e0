import { readState, type DeckState } from "./state";

const KEY = "jobdeck";

/** What a page outside of JupyterLab kept of the last time that a deck was shown in it; null for nothing. */
export function keptState(): DeckState | null {
  try {
    const text = localStorage.getItem(KEY);
    return text === null ? null : readState(JSON.parse(text));
  } catch {
    // No storage in this page (a sandboxed frame, a strict browser), or nothing that we wrote.
    return null;
  }
}

export function keepState(state: DeckState): void {
  try {
    // A job that was open belongs to one store, as groups do; another time it may be another one's.
    localStorage.setItem(KEY, JSON.stringify({ ...state, open: null, groups: [] }));
  } catch {
    // The same: what cannot be kept is as at first the next time.
  }
}
