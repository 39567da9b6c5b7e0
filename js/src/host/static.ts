import { marking as trans } from "../model/translation";
import type { RangeReply, Reply, Report } from "../model/wire";
import { HostError, type Capabilities, type Host } from "./host";

const NOBODY = trans.__("This is a saved state: there is nobody to ask.");

/** Nobody to ask: the deck shows what it was seeded with. */
export class StaticHost implements Host {
  readonly capabilities: Capabilities = { live: false, commands: false };

  subscribe(): () => void {
    return () => undefined;
  }

  deck(): () => void {
    return () => undefined;
  }

  cards(): Host {
    return this;
  }

  resync(): void {
    // There is nobody who could be asked.
  }

  range(): Promise<RangeReply> {
    return Promise.reject(new HostError(trans.__("This is a saved state: the rest is with the job's store.")));
  }

  command(): Promise<Reply> {
    return Promise.reject(new HostError(NOBODY));
  }

  bulk(): Promise<Report> {
    return Promise.reject(new HostError(NOBODY));
  }

  dispose(): void {
    // Nothing was opened.
  }
}
