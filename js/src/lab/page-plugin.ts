import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { IStateDB } from "@jupyterlab/statedb";
import { ITranslator } from "@jupyterlab/translation";
import { LAB_MARK } from "../host/page";
import { translator } from "../model/translation";
import { DeckMemory } from "./deck-memory";
import { PageDeck } from "./page-deck";
import { servicesOf } from "./services";
import { Settings } from "./settings";
import { Targets } from "./target";
import { IJobsPage, type JobsPage } from "./tokens";

/** It has the settings' schema, so that this is the name under which they are kept. */
const ID = "jobdeck:plugin";

function activate(
  app: JupyterFrontEnd,
  registry: ISettingRegistry | null,
  translation: ITranslator | null,
  states: IStateDB | null,
): JobsPage {
  const bundle = translation?.load("jobdeck");
  const trans = bundle ? translator((text) => bundle.gettext(text)) : translator();
  const services = servicesOf(document);
  if (services) document.documentElement.setAttribute(LAB_MARK, "");
  return {
    services,
    deck: new PageDeck(services, trans),
    memory: new DeckMemory(states),
    settings: new Settings(registry, ID),
    targets: new Targets(app, document),
    trans,
  };
}

/** Gives the other plugins one connection and one table of jobs. */
export const pagePlugin: JupyterFrontEndPlugin<JobsPage> = {
  id: ID,
  description: "Connects the page with its Jupyter server's jobs, and keeps jobdeck's settings.",
  autoStart: true,
  provides: IJobsPage,
  optional: [ISettingRegistry, ITranslator, IStateDB],
  activate,
};
