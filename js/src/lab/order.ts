import { HostError } from "../host/host";
import type { BulkOrder, CommandName } from "../model/wire";
import type { JobsPage } from "./tokens";

type Refusable = Promise<{ error: string | null }>;

/** Ask the page's server for something to be done to a job. Returns a sentence that says why it was not, else null. */
export function order(page: JobsPage, id: string, command: CommandName): Promise<string | null> {
  return ask(page, (rest) => rest.command(id, command));
}

/** The same for many jobs. */
export function orderMany(page: JobsPage, bulk: BulkOrder): Promise<string | null> {
  return ask(page, (rest) => rest.bulk(bulk));
}

type Rest = NonNullable<JobsPage["services"]>["rest"];

async function ask({ services, t }: JobsPage, act: (rest: Rest) => Refusable): Promise<string | null> {
  if (!services) return t("This page names no Jupyter server that could have jobs.");
  try {
    return (await act(services.rest)).error;
  } catch (error) {
    if (error instanceof HostError) return error.message;
    throw error;
  }
}
