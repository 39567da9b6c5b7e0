import { HostError } from "../host/host";
import { Rest, type ServerInfo } from "../host/http";
import { readPage } from "../host/page";
import { Connection } from "../host/server";

/** What all cards of a page share: its server, and one connection to it. */
export interface Services {
  rest: Rest;
  connection: Connection;
  /** The page's server, asked once; null where it has no jobdeck. Rejects with a HostError where it cannot be told. */
  server: () => Promise<ServerInfo | null>;
}

/** How long a server that could not be asked is left alone. */
const PATIENCE = 10_000;

/** The services of this page; null on a page that names no server. */
export function servicesOf(document: Document): Services | null {
  const page = readPage(document);
  if (!page) return null;
  const rest = new Rest(page);
  let asked: Promise<ServerInfo | null> | null = null;
  const server = (): Promise<ServerInfo | null> => {
    if (!asked) {
      const answer = rest.info();
      asked = answer;
      answer.catch((error: unknown) => {
        if (!(error instanceof HostError)) return;
        setTimeout(() => (asked = null), PATIENCE);
      });
    }
    return asked;
  };
  return { rest, connection: new Connection(() => rest.feedUrl()), server };
}
