/** Lumino looks for this on a key's target, and on what is around it, before it takes the key for a shortcut. */
const SUPPRESSED = "data-lm-suppress-shortcuts";

let users = 0;

/** A key that means something to the element that has the focus, or nothing: it must not reach a notebook's command mode. */
function isTyped(event: KeyboardEvent): boolean {
  // Shift+Enter runs the cell, also after a click on a card's button.
  return !event.ctrlKey && !event.metaKey && !event.altKey && !(event.shiftKey && event.key === "Enter");
}

function mark(event: KeyboardEvent): void {
  const target = event.composedPath()[0];
  if (target instanceof Element && target.closest(".jobdeck-root")) target.toggleAttribute(SUPPRESSED, isTyped(event));
}

/**
 * Keep single keys that are pressed inside of our views from being a notebook's shortcuts, as `d d` and `m` are; those with
 * Ctrl, Alt or ⌘ go on working. Lumino hears keys before any element inside of the document does, so that this listens at
 * the window. Returns what ends it.
 */
export function guardKeys(): () => void {
  users += 1;
  if (users === 1) window.addEventListener("keydown", mark, true);
  let isUsing = true;
  return () => {
    if (!isUsing) return;
    isUsing = false;
    users -= 1;
    if (users === 0) window.removeEventListener("keydown", mark, true);
  };
}
