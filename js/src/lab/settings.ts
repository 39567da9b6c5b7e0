import type { ISettingRegistry } from "@jupyterlab/settingregistry";
import { signal, type ReadonlySignal } from "@preact/signals";

/** What a person can set; `schema/plugin.json` says what each means. */
export interface Preferences {
  notify: boolean;
  notifyAfter: number;
  systemNotifications: boolean;
  showStatusBar: boolean;
  panelSide: "left" | "right";
  recentCount: number;
}

/** Those of the schema, for an application that keeps no settings. */
export const DEFAULTS: Readonly<Preferences> = {
  notify: true,
  notifyAfter: 10,
  systemNotifications: false,
  showStatusBar: true,
  panelSide: "left",
  recentCount: 20,
};

/** The settings as a signal: the defaults until the person's own are known. */
export class Settings {
  /** The person's own are known, or it is known that there are none. */
  readonly ready: Promise<void>;
  private readonly values = signal<Readonly<Preferences>>(DEFAULTS);
  private source: ISettingRegistry.ISettings | null = null;

  constructor(registry: ISettingRegistry | null, plugin: string) {
    this.ready = registry ? this.load(registry, plugin) : Promise.resolve();
  }

  get preferences(): ReadonlySignal<Readonly<Preferences>> {
    return this.values;
  }

  /** Change one for good; without a place to keep it, for as long as the page is open. */
  async set<Name extends keyof Preferences>(name: Name, value: Preferences[Name]): Promise<void> {
    this.values.value = { ...this.values.peek(), [name]: value };
    await this.source?.set(name, value);
  }

  private async load(registry: ISettingRegistry, plugin: string): Promise<void> {
    try {
      this.source = await registry.load(plugin);
    } catch (error) {
      // Lab itself goes on without the settings of an extension that the server cannot give it.
      console.warn("jobdeck goes on with the settings as they come:", error);
      return;
    }
    this.source.changed.connect(this.take);
    this.take(this.source);
  }

  private readonly take = (source: ISettingRegistry.ISettings): void => {
    this.values.value = { ...DEFAULTS, ...(source.composite as Partial<Preferences>) };
  };
}
