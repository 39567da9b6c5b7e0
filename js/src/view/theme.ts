import { signal, type ReadonlySignal } from "@preact/signals";

/** Changes when the page's colours may have changed; the page is observed only while somebody looks at it. */
export const themeChanges: ReadonlySignal<number> = watchTheme();

function watchTheme(): ReadonlySignal<number> {
  let stop = (): void => undefined;
  const changes = signal(0, {
    watched() {
      const changed = (): void => {
        changes.value += 1;
      };
      const observer = new MutationObserver(changed);
      const options = { attributes: true, attributeFilter: ["class", "style", "data-jp-theme-name", "data-theme"] };
      for (const element of [document.documentElement, document.body]) observer.observe(element, options);
      const dark = window.matchMedia("(prefers-color-scheme: dark)");
      dark.addEventListener("change", changed);
      stop = () => {
        observer.disconnect();
        dark.removeEventListener("change", changed);
      };
    },
    unwatched() {
      stop();
    },
  });
  return changes;
}
