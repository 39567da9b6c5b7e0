import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { ReadonlyPartialJSONObject } from "@lumino/coreutils";

/** The job that a command is about, as far as the page tells. */
export interface Target {
  id: string;
  name: string;
  status: string;
}

/** What takes the focus to run a command on something else. */
const ASIDE = ".lm-CommandPalette, .lm-Menu, .lm-MenuBar, .jp-Dialog, .jp-ModalCommandPalette";

/** What shows a job: a card, or a line of the panel or the deck. */
const JOB = "[data-job-id], .jobdeck-grid-row[data-id]";

/** Which job a command means: one that is named, the one under the pointer, or the one that had the focus last. */
export class Targets {
  private focused: Element | null = null;

  constructor(
    private readonly app: Pick<JupyterFrontEnd, "contextMenuHitTest">,
    private readonly document: Document,
  ) {
    document.addEventListener("focusin", this.follow);
  }

  dispose(): void {
    this.document.removeEventListener("focusin", this.follow);
  }

  /** @param args - `id` (and `name`) of a job, or `pointed` where a context menu was opened on it. */
  find(args: ReadonlyPartialJSONObject): Target | null {
    if (typeof args.id === "string") return { id: args.id, name: typeof args.name === "string" ? args.name : "", status: "" };
    const element = args.pointed === true ? this.app.contextMenuHitTest((node) => node.matches(JOB)) : this.jobWithFocus();
    const id = element?.dataset.jobId ?? element?.dataset.id;
    if (!element || id === undefined) return null;
    return { id, name: element.querySelector(".jobdeck-name")?.textContent ?? "", status: element.dataset.status ?? "" };
  }

  /** A table has the focus itself and says which of its lines is meant. */
  private jobWithFocus(): HTMLElement | null {
    const job = this.focused?.closest<HTMLElement>(JOB);
    if (job) return job;
    const line = this.focused?.getAttribute("aria-activedescendant");
    return line ? this.document.getElementById(line) : null;
  }

  private readonly follow = (event: FocusEvent): void => {
    if (event.target instanceof Element && !event.target.closest(ASIDE)) this.focused = event.target;
  };
}
