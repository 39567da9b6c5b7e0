/** How the JupyterLab extension asks a cell's module on its page what a notebook is to save of the jobs that the module shows. */
import type { Bundle } from "../model/wire";

/** Messages and characters of output of each job that are saved. */
export const TAIL_MESSAGES = 200;
export const TAIL_LOG = 16_384;

const ASKED = "jobdeck:saving";
/** Marks the element that a module shows its jobs in. */
const MARK = "data-jobdeck-module";

/** What of an output's bundle is new. */
export type Saved = Partial<Pick<Bundle, "ids" | "snapshot" | "deck" | "group">>;

interface Question {
  answer: Saved | null;
}

/** Have a module's element answer. Returns what ends that. */
export function answerSaves(element: HTMLElement, told: () => Saved | null): () => void {
  const listen = (event: Event): void => {
    (event as CustomEvent<Question>).detail.answer = told();
  };
  element.setAttribute(MARK, "");
  element.addEventListener(ASKED, listen);
  return () => {
    element.removeAttribute(MARK);
    element.removeEventListener(ASKED, listen);
  };
}

/** Ask the module that shows its jobs within this element; null where there is none, or it has heard nothing yet. */
export function askForSave(element: Element): Saved | null {
  const detail: Question = { answer: null };
  element.querySelector(`[${MARK}]`)?.dispatchEvent(new CustomEvent(ASKED, { detail }));
  return detail.answer;
}
