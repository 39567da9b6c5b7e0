import { Rest, type ServerInfo } from "./http";
import { HostError } from "./host";

/** How long a server that could not be asked is left alone, in milliseconds. */
const PATIENCE = 10_000;
/** One place for all copies of this module in a page: JupyterLab's extension and the cells' module are two. */
interface Place {
  jobdeckProbes?: Map<string, Promise<ServerInfo | null>>;
}

/** What a page's server says about itself, asked once a page; null where it has no jobdeck. */
export function probe(rest: Rest): Promise<ServerInfo | null> {
  const probes = ((globalThis as Place).jobdeckProbes ??= new Map<string, Promise<ServerInfo | null>>());
  const known = probes.get(rest.address);
  if (known) return known;
  const answer = rest.info();
  probes.set(rest.address, answer);
  answer.catch((error: unknown) => {
    if (error instanceof HostError) setTimeout(() => probes.delete(rest.address), PATIENCE);
  });
  return answer;
}
