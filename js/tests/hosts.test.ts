import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CommHost } from "../src/host/comm";
import { Rest, type Fetch } from "../src/host/http";
import { isVoila, readPage, xsrfToken, type Page } from "../src/host/page";
import { Connection } from "../src/host/server";
import { Session } from "../src/host/session";
import { StaticHost } from "../src/host/static";
import { Deck } from "../src/model/deck";
import type { Known } from "../src/host/host";
import type { FeedFrame, FromBrowser, RowsFrame, Trouble } from "../src/model/wire";
import { FakeComm, FakeModel, FakeSocket, flushing } from "./support/transports";
import { FRAMES, makeDelta, makeJob, makeRows, makeRowsFrame, makeSnapshot } from "./support/wire";

const ID = makeJob().id;
const OTHER = "k3v9qa-000000000002";
const PAGE: Page = { baseUrl: new URL("https://hub.example/user/ada/"), token: "s3cret" };

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("the comm host", () => {
  it("asks for its feed once, and hands every frame on", () => {
    const model = new FakeModel();
    const host = new CommHost(model);
    const heard: FeedFrame[] = [];
    host.subscribe((frame) => heard.push(frame));
    expect(model.sent).toEqual([FRAMES.from_browser.subscribe_all]);
    model.emit(makeSnapshot([makeJob()]));
    model.emit({ type: "nonsense" });
    model.emit(makeDelta(1));
    expect(heard.map((frame) => frame.type)).toEqual(["snapshot", "delta"]);
  });

  it("hears of a snapshot that comes as a trait", () => {
    const model = new FakeModel();
    const host = new CommHost(model);
    const listener = vi.fn();
    host.subscribe(listener);
    model.change("_snapshot", makeSnapshot([]));
    expect(listener).toHaveBeenCalledWith(makeSnapshot([]));
  });

  it("matches answers by their number, whatever comes between", async () => {
    const model = new FakeModel();
    const host = new CommHost(model);
    const range = host.range({ id: ID, what: "messages", start: 0, stop: 200 });
    const reply = host.command(ID, "cancel");
    await vi.advanceTimersByTimeAsync(0);
    expect(model.sent).toEqual([
      { type: "range", request: 1, id: ID, what: "messages", start: 0, stop: 200 },
      { type: "command", request: 2, id: ID, command: "cancel" },
    ]);
    model.emit({ type: "reply", request: 99, error: null, job: null });
    model.emit({ type: "reply", request: 2, error: "it has ended", job: null });
    model.emit({ type: "range", request: 1, id: ID, error: null, messages: [], log: null, whole: null });
    await expect(reply).resolves.toMatchObject({ error: "it has ended" });
    await expect(range).resolves.toMatchObject({ messages: [] });
  });

  it("says in words that a busy kernel has not answered", async () => {
    const host = new CommHost(new FakeModel(), undefined, undefined, 1_000);
    const answer = expect(host.command(ID, "cancel")).rejects.toThrow(/busy or gone/);
    await vi.advanceTimersByTimeAsync(1_000);
    await answer;
  });

  it("sends commands to the server where there is one, and over the comm where it went away", async () => {
    const model = new FakeModel();
    const fetch = vi.fn<Fetch>(() => Promise.resolve(Response.json({ type: "reply", request: 0, error: null, job: null })));
    const host = new CommHost(model, Promise.resolve(new Rest(PAGE, fetch, () => "")));
    await expect(host.command(ID, "cancel")).resolves.toMatchObject({ error: null });
    expect(model.sent).toEqual([]);
    fetch.mockRejectedValue(new TypeError("Failed to fetch"));
    const reply = host.command(ID, "kill");
    await vi.advanceTimersByTimeAsync(0);
    expect(model.sent).toEqual([{ type: "command", request: 1, id: ID, command: "kill" }]);
    model.emit({ type: "reply", request: 1, error: null, job: null });
    await expect(reply).resolves.toMatchObject({ type: "reply" });
  });

  it("leaves nothing behind", async () => {
    const model = new FakeModel();
    const host = new CommHost(model);
    host.subscribe(() => undefined);
    const range = expect(host.range({ id: ID, what: "log", start: 0, stop: 1 })).rejects.toThrow(/closed/);
    host.dispose();
    await range;
    expect(model.listeners).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the comm host of a deck", () => {
  it("asks for the deck, and for its cards' jobs beside it", () => {
    const model = new FakeModel();
    const host = new CommHost(model);
    const rows: unknown[] = [];
    const stop = host.deck((frame) => rows.push(frame));
    const frames: FeedFrame[] = [];
    const unsubscribe = host.cards([ID]).subscribe((frame) => frames.push(frame));
    expect(model.sent).toEqual([
      { type: "deck", on: true, store_id: null, since: null },
      { type: "subscribe", ids: [ID] },
    ]);
    model.emit(makeRowsFrame(0));
    model.emit(makeSnapshot([makeJob(), makeJob({ id: OTHER })]));
    model.emit({ type: "trouble", error: "the store is locked" });
    expect(rows).toEqual([makeRowsFrame(0), { type: "trouble", error: "the store is locked" }]);
    expect(frames).toEqual([makeSnapshot([makeJob()]), { type: "trouble", error: "the store is locked" }]);
    unsubscribe();
    stop();
    expect(model.sent.slice(2)).toEqual([
      { type: "subscribe", ids: [] },
      { type: "deck", on: false },
    ]);
  });

  it("names both versions where its kernel's frames are of another protocol", () => {
    const model = new FakeModel();
    const host = new CommHost(model);
    const heard = vi.fn();
    host.deck(heard);
    model.emit({ ...makeRowsFrame(0), protocol: 3, version: "2.0" });
    expect(heard).toHaveBeenCalledWith({ type: "trouble", error: expect.stringMatching(/jobdeck 0.*jobdeck 2\.0/) as string });
  });

  it("orders for many jobs by the server, and by the kernel where it went away", async () => {
    const model = new FakeModel();
    const report = { type: "report", request: 0, error: null, outcomes: { a: "asked" }, counts: { asked: 1 }, made: {}, reasons: {} };
    const fetch = vi.fn<Fetch>(() => Promise.resolve(Response.json(report)));
    const host = new CommHost(model, Promise.resolve(new Rest(PAGE, fetch, () => "")));
    const order = { command: "cancel", ids: ["a"] } as const;
    await expect(host.bulk(order)).resolves.toEqual(report);
    expect(fetch.mock.calls[0]?.[0]).toBe("https://hub.example/user/ada/jobdeck/api/v1/commands");
    expect(JSON.parse(fetch.mock.calls[0]?.[1]?.body as string)).toEqual(order);
    fetch.mockResolvedValue(Response.json({ message: "you are not allowed to change jobs here" }, { status: 403 }));
    await expect(host.bulk(order)).resolves.toMatchObject({ error: "you are not allowed to change jobs here", counts: {} });
    fetch.mockRejectedValue(new TypeError("Failed to fetch"));
    const answer = host.bulk(order);
    await vi.advanceTimersByTimeAsync(0);
    expect(model.sent).toEqual([{ type: "bulk", request: 1, ...order }]);
    // Many jobs take their time.
    await vi.advanceTimersByTimeAsync(20_000);
    model.emit({ ...report, request: 1 });
    await expect(answer).resolves.toMatchObject({ counts: { asked: 1 } });
  });

  it("sends changed inputs with a retry", async () => {
    const model = new FakeModel();
    const reply = new CommHost(model).command(ID, "retry", { r: "0.8" });
    await vi.advanceTimersByTimeAsync(0);
    expect(model.sent).toEqual([{ type: "command", request: 1, id: ID, command: "retry", inputs: { r: "0.8" } }]);
    model.emit({ type: "reply", request: 1, error: null, job: null });
    await reply;
  });
});

describe("the channel for commands", () => {
  function managed(): { model: FakeModel; comm: FakeComm; opened: unknown[] } {
    const comm = new FakeComm();
    const opened: unknown[] = [];
    const manager = {
      _create_comm: (target: string): Promise<FakeComm> => {
        comm.onOpen = (data) => opened.push([target, data]);
        return Promise.resolve(comm);
      },
    };
    return { model: Object.assign(new FakeModel(), { widget_manager: manager }), comm, opened };
  }

  it("is opened by the page for its first command and answers for all", async () => {
    const { model, comm, opened } = managed();
    const host = new CommHost(model, undefined, () => "k3v9qa");
    for (const id of ["a", "b"]) {
      const reply = host.command(id, "cancel");
      await vi.waitFor(() => expect(comm.sent.at(-1)).toMatchObject({ type: "command", id, command: "cancel" }));
      comm.answer({ type: "reply", request: comm.sent.at(-1)?.request, error: null, job: null });
      expect((await reply).error).toBeNull();
    }
    expect(opened).toEqual([["jobdeck.commands", { store_id: "k3v9qa" }]]);
    expect(model.sent).toEqual([]);
    host.dispose();
    await vi.waitFor(() => expect(comm.isClosed).toBe(true));
  });

  it("is opened on a page that came without encryption, too", async () => {
    const { model, comm } = managed();
    const { crypto } = globalThis;
    vi.stubGlobal("crypto", { getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes) });
    const reply = new CommHost(model).command("a", "cancel");
    await vi.waitFor(() => expect(comm.sent).toHaveLength(1));
    comm.answer({ type: "reply", request: comm.sent.at(-1)?.request, error: null, job: null });
    expect((await reply).error).toBeNull();
    vi.unstubAllGlobals();
  });

  it("gives way to the widget's comm where the kernel does not know it", async () => {
    const { model, comm } = managed();
    const host = new CommHost(model);
    model.onSend = (frame) => {
      if (frame.type === "command") model.emit({ type: "reply", request: frame.request, error: null, job: null });
    };
    const first = host.command("a", "cancel");
    await vi.waitFor(() => expect(comm.sent).toHaveLength(1));
    comm.end();
    expect((await first).error).toBeNull();
    expect((await host.command("b", "cancel")).error).toBeNull();
    expect(comm.sent).toHaveLength(1);
    expect(model.sent).toHaveLength(2);
  });
});

describe("the page's connection", () => {
  const open = (): { connection: Connection; sockets: FakeSocket[] } => {
    const sockets: FakeSocket[] = [];
    const connection = new Connection(
      () => "ws://x/feed",
      (url) => {
        const socket = new FakeSocket(url);
        sockets.push(socket);
        return socket;
      },
    );
    return { connection, sockets };
  };
  const last = (sockets: FakeSocket[]): FakeSocket => {
    const socket = sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  };

  it("is one socket for all cards, subscribed to the jobs of them all", () => {
    const { connection, sockets } = open();
    connection.open([ID]).subscribe(() => undefined);
    connection.open([OTHER, ID]).subscribe(() => undefined);
    last(sockets).open();
    expect(sockets.length).toBe(1);
    expect(last(sockets).sent).toEqual([{ type: "subscribe", ids: [ID, OTHER] }]);
    connection.open(["third"]).subscribe(() => undefined);
    vi.advanceTimersByTime(50);
    expect(last(sockets).sent.at(-1)).toEqual({ type: "subscribe", ids: [ID, OTHER, "third"] });
    connection.close();
  });

  it("carries the deck beside the cards, and goes on from where it was cut off", () => {
    const { connection, sockets } = open();
    const heard: (RowsFrame | Trouble)[] = [];
    let known: Known | null = null;
    const stop = connection.open([]).deck(
      (frame) => heard.push(frame),
      () => known,
    );
    last(sockets).open();
    expect(last(sockets).sent).toEqual([{ type: "deck", on: true, store_id: null, since: null }]);
    last(sockets).emit(makeRowsFrame(0));
    known = { storeId: "k3v9qa", change: 7 };
    last(sockets).drop();
    expect(heard).toMatchObject([{ type: "rows" }, { type: "trouble" }]);
    vi.advanceTimersByTime(1_000);
    last(sockets).open();
    expect(last(sockets).sent).toEqual([{ type: "deck", on: true, store_id: "k3v9qa", since: 7 }]);
    connection.open([ID]).subscribe(() => undefined);
    vi.advanceTimersByTime(50);
    expect(last(sockets).sent.at(-1)).toEqual({ type: "subscribe", ids: [ID] });
    expect(sockets).toHaveLength(2);
    stop();
    expect(last(sockets).sent.at(-1)).toEqual({ type: "deck", on: false });
    connection.close();
  });

  it("hands each card its own jobs, in frames that follow each other", () => {
    const { connection, sockets } = open();
    const one: FeedFrame[] = [];
    const two: FeedFrame[] = [];
    connection.open([ID]).subscribe((frame) => one.push(frame));
    connection.open([OTHER]).subscribe((frame) => two.push(frame));
    const socket = last(sockets);
    socket.open();
    socket.emit(makeSnapshot([makeJob(), makeJob({ id: OTHER })], { messages: { [ID]: makeRows(1, 1), [OTHER]: makeRows(1, 2) } }));
    socket.emit(makeDelta(1, { messages: { [OTHER]: makeRows(3, 3) } }));
    socket.emit(makeDelta(2, { jobs: { [ID]: { status: "DONE" }, [OTHER]: { status: "ERROR" } }, removed: [OTHER] }));
    expect(one).toEqual([
      makeSnapshot([makeJob()], { messages: { [ID]: makeRows(1, 1) } }),
      makeDelta(1, { jobs: { [ID]: { status: "DONE" } } }),
    ]);
    expect(two.map((frame) => [frame.type, "seq" in frame && frame.seq])).toEqual([
      ["snapshot", 0],
      ["delta", 1],
      ["delta", 2],
    ]);
    connection.close();
  });

  it("gives a retry's new job to the card of the old one, also after a new connection", () => {
    const { connection, sockets } = open();
    const frames: FeedFrame[] = [];
    connection.open([ID]).subscribe((frame) => frames.push(frame));
    last(sockets).open();
    last(sockets).emit(makeSnapshot([makeJob()]));
    last(sockets).emit(makeDelta(1, { added: [makeJob({ id: OTHER, retry_of: ID }), makeJob({ id: "foreign" })] }));
    expect(frames.at(-1)).toEqual(makeDelta(1, { added: [makeJob({ id: OTHER, retry_of: ID })] }));
    last(sockets).drop();
    vi.advanceTimersByTime(20_000);
    last(sockets).open();
    expect(last(sockets).sent).toEqual([{ type: "subscribe", ids: [ID, OTHER] }]);
    connection.close();
  });

  it("asks for a snapshot where a frame was missed", () => {
    const { connection, sockets } = open();
    const deck = new Deck();
    const session = new Session(deck, connection.open([ID]), flushing());
    const socket = last(sockets);
    socket.open();
    socket.emit(makeSnapshot([makeJob()]));
    socket.emit(makeDelta(5, { messages: { [ID]: makeRows(9, 9) } }));
    expect(socket.sent.at(-1)).toEqual({ type: "resync" });
    socket.emit(makeSnapshot([makeJob({ interim_count: 9 })], { seq: 6, messages: { [ID]: makeRows(1, 9) } }));
    expect(deck.job(ID)?.messages.hole(1, 9, 9)).toBeNull();
    session.dispose();
    connection.close();
  });

  it("keeps the words of a server of another version, and asks again only now and then", () => {
    const { connection, sockets } = open();
    const deck = new Deck();
    const session = new Session(deck, connection.open([ID]), flushing());
    last(sockets).open();
    last(sockets).emit({ type: "trouble", error: "This page speaks protocol 1, but …" });
    last(sockets).drop(4406);
    expect(deck.trouble.value).toBe("This page speaks protocol 1, but …");
    const dialled = sockets.length;
    vi.advanceTimersByTime(10_000);
    expect(sockets).toHaveLength(dialled);
    vi.advanceTimersByTime(10_000);
    expect(sockets).toHaveLength(dialled + 1);
    session.dispose();
    connection.close();
  });

  it("comes back after a loss, later each time, and says so meanwhile", () => {
    const { connection, sockets } = open();
    const deck = new Deck();
    const session = new Session(deck, connection.open([ID]), flushing());
    last(sockets).open();
    last(sockets).emit(makeSnapshot([makeJob()]));
    const delays: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      last(sockets).drop();
      expect(deck.trouble.value).toMatch(/lost/);
      const before = Date.now();
      const known = sockets.length;
      while (sockets.length === known) vi.advanceTimersByTime(10);
      delays.push(Date.now() - before);
    }
    expect(delays[3]).toBeGreaterThan(2 * (delays[0] ?? Infinity));
    last(sockets).open();
    last(sockets).emit(makeSnapshot([makeJob({ status: "DONE", final: true })], { seq: 0 }));
    expect(deck.trouble.value).toBeNull();
    expect(deck.job(ID)?.info.value.status).toBe("DONE");
    session.dispose();
    connection.close();
  });

  it("refuses a command while it is down, in a sentence", async () => {
    const { connection } = open();
    const session = new Session(new Deck(), connection.open([ID]), flushing());
    await expect(session.command(ID, "cancel")).resolves.toMatch(/not connected/);
    session.dispose();
    connection.close();
  });

  it("outlives a card that is painted anew, and ends with the last one", () => {
    const { connection, sockets } = open();
    const stop = connection.open([ID]).subscribe(() => undefined);
    last(sockets).open();
    stop();
    const again = connection.open([ID]);
    again.subscribe(() => undefined);
    vi.advanceTimersByTime(10_000);
    expect(sockets.length).toBe(1);
    again.dispose();
    vi.advanceTimersByTime(10_000);
    expect(last(sockets).isClosed).toBe(true);
    expect(connection.load).toEqual({ channels: 0, requests: 0, timers: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("REST", () => {
  it("sends a command with the token and against forgery", async () => {
    const fetch = vi.fn<Fetch>(() => Promise.resolve(Response.json({ error: null, job: null })));
    await new Rest(PAGE, fetch, () => "a=b; _xsrf=2%7Cabc; c=d").command(ID, "cancel");
    const [url, init] = fetch.mock.calls[0] ?? [];
    expect(url).toBe(`https://hub.example/user/ada/jobdeck/api/v1/jobs/${ID}/commands`);
    expect(init).toMatchObject({ method: "POST", body: '{"command":"cancel"}', credentials: "same-origin" });
    const headers = new Headers(init?.headers);
    expect([headers.get("X-XSRFToken"), headers.get("Authorization")]).toEqual(["2|abc", "token s3cret"]);
  });

  it.each([
    [Response.json({ error: "it has ended" }, { status: 409 }), "it has ended"],
    [Response.json({ message: "no such job" }, { status: 404 }), "no such job"],
    [new Response("<html>", { status: 502, statusText: "Bad Gateway" }), "The Jupyter server refused (502 Bad Gateway)."],
  ])("makes a sentence of a refusal", async (response, sentence) => {
    const rest = new Rest(PAGE, () => Promise.resolve(response), () => "");
    await expect(rest.command(ID, "cancel")).resolves.toMatchObject({ error: sentence });
  });

  it("knows a server without jobdeck, and names both versions where it has another protocol", async () => {
    const info = (response: Response): Promise<unknown> => new Rest(PAGE, () => Promise.resolve(response), () => "").info();
    await expect(info(new Response("", { status: 404 }))).resolves.toBeNull();
    await expect(info(Response.json({ version: "9.1", protocol: 9, store_id: "a" }))).rejects.toThrow(
      /jobdeck 0.* \(protocol 1\).*jobdeck 9\.1 \(protocol 9\)/,
    );
    await expect(info(Response.json({ version: "0.1.0", protocol: 1, store_id: "k3v9qa" }))).resolves.toMatchObject({ store_id: "k3v9qa" });
  });

  it("finds the feed, with the token in its address", () => {
    expect(new Rest(PAGE).feedUrl()).toBe("wss://hub.example/user/ada/jobdeck/api/v1/feed?protocol=1&token=s3cret");
  });
});

describe("a page", () => {
  it("says where its server is", () => {
    const config = document.createElement("script");
    config.id = "jupyter-config-data";
    config.type = "application/json";
    config.textContent = '{"baseUrl": "/user/ada", "token": "t"}';
    document.body.append(config);
    const page = readPage(document);
    expect(page?.baseUrl.pathname).toBe("/user/ada/");
    expect(page?.token).toBe("t");
    config.remove();
    expect(readPage(document)).toBeNull();
  });

  it("is known for one of Voila's", () => {
    const config = document.createElement("script");
    config.id = "jupyter-config-data";
    config.type = "application/json";
    document.body.append(config);
    config.textContent = '{"appUrl": "voila/", "baseUrl": "/"}';
    expect(isVoila(document)).toBe(true);
    config.textContent = '{"appUrl": "/lab", "baseUrl": "/"}';
    expect(isVoila(document)).toBe(false);
    config.remove();
    expect(isVoila(document)).toBe(false);
  });

  it("may have no cookie against forgery", () => {
    expect(xsrfToken("")).toBeNull();
    expect(xsrfToken("my_xsrf=1")).toBeNull();
  });
});

describe("a session", () => {
  it("applies all that comes between two paints at once", () => {
    const model = new FakeModel();
    const deck = new Deck();
    const paints: (() => void)[] = [];
    const session = new Session(deck, new CommHost(model), (act) => {
      paints.push(act);
      return () => undefined;
    });
    model.emit(makeSnapshot([makeJob()]));
    for (let seq = 1; seq <= 50; seq += 1) model.emit(makeDelta(seq, { messages: { [ID]: makeRows(seq, seq) } }));
    expect(deck.ids.value).toEqual([]);
    expect(paints.length).toBe(1);
    paints[0]?.();
    expect(deck.job(ID)?.info.value.interim_count).toBe(50);
    session.dispose();
  });

  it("goes on with another host, and leaves the first", () => {
    const first = new FakeModel();
    const second = new FakeModel();
    const session = new Session(new Deck(), new CommHost(first), flushing());
    session.connect(new CommHost(second));
    expect(first.listeners).toBe(0);
    session.dispose();
    expect(second.listeners).toBe(0);
  });

  it("fetches what a fast job left out", async () => {
    const model = new FakeModel();
    const deck = new Deck();
    const session = new Session(deck, new CommHost(model), flushing());
    model.emit(makeSnapshot([makeJob()], { messages: { [ID]: makeRows(1, 2) } }));
    model.emit(makeDelta(1, { messages: { [ID]: makeRows(50, 60) } }));
    const loading = session.loadMessages(ID, 1, 60);
    await session.loadMessages(ID, 1, 60);
    const asked = model.sent.filter((frame) => frame.type === "range");
    expect(asked).toEqual([{ type: "range", request: 1, id: ID, what: "messages", start: 2, stop: 49 }]);
    model.emit({ type: "range", request: 1, id: ID, error: null, messages: makeRows(3, 49), log: null, whole: null });
    await loading;
    expect(deck.job(ID)?.messages.hole(1, 60, 60)).toBeNull();
    session.dispose();
  });

  it("does not ask twice for what is not there", async () => {
    const model = new FakeModel();
    const session = new Session(new Deck(), new CommHost(model), flushing());
    model.emit(makeSnapshot([makeJob()], { logs: { [ID]: { start: 3, end: 5, text: "ab" } } }));
    const loading = session.loadLog(ID);
    model.emit({ type: "range", request: 1, id: ID, error: null, messages: null, log: { start: 0, end: 0, text: "" }, whole: null });
    await expect(loading).resolves.toBe(false);
    await expect(session.loadLog(ID)).resolves.toBe(false);
    expect(model.sent.filter((frame) => frame.type === "range").length).toBe(1);
    session.dispose();
  });

  it("fetches the numbers of all messages for a plot, in samples where they are many", async () => {
    const model = new FakeModel();
    const deck = new Deck();
    const session = new Session(deck, new CommHost(model), flushing());
    const point = (seq: number): unknown => ({ iteration: seq, y: seq });
    model.onSend = (frame) => {
      if (frame.type !== "range") return;
      const messages = makeRows(frame.start + 1, frame.stop ?? 0, point);
      model.emit({ type: "range", request: frame.request, id: ID, error: null, messages, log: null, whole: null });
    };
    model.emit(makeSnapshot([makeJob()], { messages: { [ID]: makeRows(99_801, 100_000, point) } }));
    await session.loadHistory(ID);
    const asked = model.sent.filter((frame) => frame.type === "range");
    expect(asked.length).toBe(8);
    const { x } = deck.job(ID)?.series.table() ?? { x: [] };
    expect([x[0], x.at(-1)]).toEqual([1, 100_000]);
    expect(deck.job(ID)?.messages.get(1)).toBeUndefined();
    await session.loadHistory(ID);
    expect(model.sent.filter((frame) => frame.type === "range").length).toBe(8);
    session.dispose();
  });

  it("shows a retry's new job as soon as it is told of it", async () => {
    const model = new FakeModel();
    const deck = new Deck();
    const session = new Session(deck, new CommHost(model), flushing());
    model.emit(makeSnapshot([makeJob({ status: "ERROR", final: true })]));
    const answer = session.command(ID, "retry");
    await vi.advanceTimersByTimeAsync(0);
    model.emit({ type: "reply", request: 1, error: null, job: makeJob({ id: OTHER, retry_of: ID }) });
    await expect(answer).resolves.toBeNull();
    expect(deck.ids.value).toEqual([ID, OTHER]);
    session.dispose();
  });

  it("of a saved notebook says that there is nobody to ask", async () => {
    const session = new Session(new Deck(), new StaticHost(), flushing());
    expect(session.capabilities.value).toEqual({ live: false, commands: false });
    await expect(session.command(ID, "cancel")).resolves.toMatch(/nobody to ask/);
    session.dispose();
  });
});

describe("what goes to the kernel", () => {
  it("is what the fixtures say", () => {
    const model = new FakeModel();
    const host = new CommHost(model);
    host.resync();
    const { resync, cancel } = FRAMES.from_browser as Record<string, FromBrowser>;
    expect(model.sent).toEqual([resync]);
    expect(Object.keys(cancel ?? {}).sort()).toEqual(["command", "id", "request", "type"]);
  });
});
