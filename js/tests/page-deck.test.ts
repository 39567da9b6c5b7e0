import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HostError, VersionError } from "../src/host/host";
import { Rest, type ServerInfo } from "../src/host/http";
import { Connection } from "../src/host/server";
import { PageDeck } from "../src/lab/page-deck";
import { servicesOf, type Services } from "../src/lab/services";
import { translator } from "../src/model/translation";
import { FakeSocket, flushing } from "./support/transports";
import { makeRowsFrame, makeWireRow } from "./support/wire";

const OURS: ServerInfo = { version: "0.1.0", protocol: 1, store_id: "k3v9qa" };

interface Page {
  deck: PageDeck;
  connection: Connection;
  sockets: FakeSocket[];
}

function makePage(...answers: (ServerInfo | null | Error)[]): Page {
  const sockets: FakeSocket[] = [];
  const connection = new Connection(
    () => "ws://x",
    (url) => {
      const socket = new FakeSocket(url);
      sockets.push(socket);
      return socket;
    },
  );
  const server = (): Promise<ServerInfo | null> => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? null);
  };
  const services: Services = { rest: new Rest({ baseUrl: new URL("http://x/"), token: "" }), connection, server };
  return { deck: new PageDeck(services, translator(), flushing()), connection, sockets };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(50);

describe("the deck of a page", () => {
  it("asks nobody until somebody wants it, and then once for all", async () => {
    const { deck, sockets } = makePage(OURS);
    await settle();
    expect(sockets).toEqual([]);
    const releases = [deck.use(), deck.use()];
    await settle();
    expect(sockets).toHaveLength(1);
    sockets[0]?.open();
    await settle();
    expect(sockets[0]?.sent.filter((frame) => frame.type === "deck")).toHaveLength(1);
    sockets[0]?.emit(makeRowsFrame(0, { rows: [makeWireRow(1)], total: 1 }));
    expect(deck.table.rows.value).toHaveLength(1);
    for (const release of releases) release();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(sockets[0]?.isClosed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("goes on from where it was when it is wanted again", async () => {
    const { deck, sockets } = makePage(OURS);
    const release = deck.use();
    await settle();
    sockets[0]?.open();
    sockets[0]?.emit(makeRowsFrame(0, { rows: [makeWireRow(1)], total: 1, change: 7 }));
    release();
    release();
    await vi.advanceTimersByTimeAsync(20_000);
    const again = deck.use();
    await settle();
    sockets[1]?.open();
    await settle();
    expect(sockets[1]?.sent).toContainEqual({ type: "deck", on: true, store_id: "k3v9qa", since: 7 });
    again();
    await vi.advanceTimersByTimeAsync(20_000);
  });

  it("is not let go by one of two that want it", async () => {
    const { deck, sockets } = makePage(OURS);
    const [one, other] = [deck.use(), deck.use()];
    one();
    one();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(sockets[0]?.isClosed).toBe(false);
    other();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(sockets[0]?.isClosed).toBe(true);
  });

  it("says that the server does not have jobdeck", async () => {
    const { deck, sockets } = makePage(null);
    deck.use();
    await settle();
    expect(deck.note.value).toMatch(/does not have jobdeck/);
    expect([sockets.length, deck.host.value]).toEqual([0, null]);
  });

  it("says which versions do not understand each other", async () => {
    const { deck } = makePage(new VersionError("This page has jobdeck 0.1.0; the server has jobdeck 0.2.0."));
    const release = deck.use();
    await settle();
    expect(deck.note.value).toBe("This page has jobdeck 0.1.0; the server has jobdeck 0.2.0.");
    release();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("asks a server again that could not be reached", async () => {
    const { deck, sockets } = makePage(new HostError("away"), OURS);
    deck.use();
    await settle();
    expect(deck.note.value).toBe("away");
    await vi.advanceTimersByTimeAsync(20_000);
    expect([deck.note.value, sockets.length]).toEqual([null, 1]);
  });
});

describe("the services of a page", () => {
  it("probe its server once for all that ask", async () => {
    const config = document.createElement("script");
    config.id = "jupyter-config-data";
    config.type = "application/json";
    config.textContent = JSON.stringify({ baseUrl: "/", token: "" });
    document.body.append(config);
    const fetch = vi.fn(() => Promise.resolve(Response.json(OURS)));
    vi.stubGlobal("fetch", fetch);
    const services = servicesOf(document);
    expect(await Promise.all([services?.server(), services?.server()])).toEqual([OURS, OURS]);
    expect(await services?.server()).toEqual(OURS);
    expect(fetch).toHaveBeenCalledTimes(1);
    config.remove();
  });
});
