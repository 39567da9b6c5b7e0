import { HostError } from "../host/host";
import type { BulkOrder, CommandName } from "../model/wire";
import type { JobsPage } from "./tokens";

/** Ask the page's server for something to be done to a job. Returns a sentence that says why it was not, else null. */
export function order({ services, trans }: JobsPage, id: string, command: CommandName): Promise<string | null> {
  if (!services) return Promise.resolve(trans.__("This page names no Jupyter server that could have jobs."));
  return refusalOf(services.rest.command(id, command));
}

/** The same for many jobs, over the connection that tells of them. */
export function orderMany({ deck, trans }: JobsPage, bulk: BulkOrder): Promise<string | null> {
  const host = deck.host.peek();
  if (!host) return Promise.resolve(deck.note.peek() ?? trans.__("The Jupyter server is not connected just now."));
  return refusalOf(host.bulk(bulk));
}

async function refusalOf(answer: Promise<{ error: string | null }>): Promise<string | null> {
  try {
    return (await answer).error;
  } catch (error) {
    if (error instanceof HostError) return error.message;
    throw error;
  }
}
