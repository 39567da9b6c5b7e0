import { Rest, type ServerInfo } from "../host/http";
import { readPage } from "../host/page";
import { probe } from "../host/probe";
import { Connection } from "../host/server";

/** What all cards of a page share: its server, and one connection to it. */
export interface Services {
  rest: Rest;
  connection: Connection;
  /** The page's server, asked once; null where it has no jobdeck. Rejects with a HostError where it cannot be told. */
  server: () => Promise<ServerInfo | null>;
}

/** The services of this page; null on a page that names no server. */
export function servicesOf(document: Document): Services | null {
  const page = readPage(document);
  if (!page) return null;
  const rest = new Rest(page);
  return { rest, connection: new Connection(() => rest.feedUrl()), server: () => probe(rest) };
}
