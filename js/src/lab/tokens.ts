import { Token } from "@lumino/coreutils";
import type { Translation } from "../model/translation";
import type { DeckMemory } from "./deck-memory";
import type { PageDeck } from "./page-deck";
import type { Services } from "./services";
import type { Settings } from "./settings";
import type { Targets } from "./target";

/** What the plugins of one page share. */
export interface JobsPage {
  /** Null on a page that names no Jupyter server. */
  services: Services | null;
  /** All jobs of the server's store. */
  deck: PageDeck;
  memory: DeckMemory;
  settings: Settings;
  targets: Targets;
  trans: Translation;
}

export const IJobsPage = new Token<JobsPage>("jobdeck:IJobsPage", "The page's connection to its server's jobs.");

/** The commands that plugins call of each other. */
export const Commands = {
  open: "jobdeck:open",
  openJob: "jobdeck:open-job",
  showPanel: "jobdeck:show-panel",
  cancel: "jobdeck:cancel",
  kill: "jobdeck:kill",
  retry: "jobdeck:retry",
  copyId: "jobdeck:copy-id",
  copyResult: "jobdeck:copy-result",
  systemNotifications: "jobdeck:toggle-system-notifications",
} as const;
