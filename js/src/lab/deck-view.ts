import { effect, untracked } from "@preact/signals";
import { mountDeck, type DeckState } from "../view/deck";
import type { JobsPage } from "./tokens";

/** Show the page's deck in an element, which gives the height, as soon as there is one; until then, why there is none. */
export function showPageDeck(
  element: HTMLElement,
  { deck, trans }: JobsPage,
  state: () => DeckState | null,
  onState: (state: DeckState) => void,
): () => void {
  const release = deck.use();
  const stop = effect(() => {
    const host = deck.host.value;
    if (!host) return showNote(element, deck.note.value);
    return untracked(() => mountDeck(element, { host, table: deck.table, trans, note: deck.note, state: state(), onState }));
  });
  return () => {
    stop();
    release();
  };
}

function showNote(element: HTMLElement, text: string | null): () => void {
  const root = document.createElement("div");
  root.className = "jobdeck-root";
  const note = root.appendChild(document.createElement("p"));
  note.className = "jobdeck-note jobdeck-trouble";
  note.setAttribute("role", "status");
  note.textContent = text;
  element.append(root);
  return () => root.remove();
}
