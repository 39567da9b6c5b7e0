import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { IRenderMime } from "@jupyterlab/rendermime";
import type { ISettingRegistry } from "@jupyterlab/settingregistry";
import type { IStateDB } from "@jupyterlab/statedb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Rest } from "../src/host/http";
import { DeckKeeper } from "../src/lab/deck-keeper";
import { DeckMemory } from "../src/lab/deck-memory";
import { DEFAULTS, Settings } from "../src/lab/settings";
import { firstFrame, firstGroupFrame } from "../src/model/first-frame";
import { JobTable } from "../src/model/table";
import { isFrame, MIME_TYPE, type Bundle } from "../src/model/wire";
import { defaultState } from "../src/view/deck";
import schema from "../schema/plugin.json";
import { makeGroup, makeRowsFrame, makeSnapshot, makeWireRow, NOW } from "./support/wire";

function tableOf(count: number): JobTable {
  const table = new JobTable(() => NOW);
  const rows = Array.from({ length: count }, (_, number) => makeWireRow(count - number, { started: NOW - 9, ended: NOW - 2, tags: ["sweep"], values: { energy: -1 } }));
  table.apply(makeRowsFrame(0, { rows, total: count, counts: { DONE: count }, change: 7 }));
  return table;
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW * 1_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a first frame", () => {
  it("tells a new table what the newest rows of the old one were", () => {
    const table = tableOf(3);
    const frame = firstFrame(table);
    expect(isFrame(frame)).toBe(true);
    const again = new JobTable(() => NOW + 86_400);
    again.seed(JSON.parse(JSON.stringify(frame)) as typeof frame);
    expect(again.rows.value).toEqual(table.rows.value);
    expect([again.total.value, again.counts.value, again.now()]).toEqual([3, { DONE: 3 }, NOW]);
  });

  it("holds the newest sixty jobs, and says that there are more", () => {
    const frame = firstFrame(tableOf(450));
    expect([frame.rows?.length, frame.rows?.[0]?.number, frame.more, frame.total]).toEqual([60, 450, true, 450]);
  });
});

describe("a first frame of a group", () => {
  it("has its jobs alone, and counts them", () => {
    const table = new JobTable(() => NOW);
    const rows = [makeWireRow(3, { group: "s", status: "ERROR" }), makeWireRow(2), makeWireRow(1, { group: "s" })];
    table.apply(makeRowsFrame(0, { rows, total: 3, groups: [makeGroup("s"), makeGroup("other")] }));
    const frame = firstGroupFrame(table, "s");
    expect(frame.rows?.map(({ number }) => number)).toEqual([3, 1]);
    expect([frame.total, frame.counts, frame.more, frame.groups]).toEqual([2, { ERROR: 1, DONE: 1 }, false, [makeGroup("s")]]);
  });
});

type SaveSlot = (context: unknown, state: DocumentRegistry.SaveState) => void;

class FakeDocument {
  readonly slots = new Set<SaveSlot>();
  readonly saveState = {
    connect: (slot: SaveSlot) => this.slots.add(slot),
    disconnect: (slot: SaveSlot) => this.slots.delete(slot),
  };

  save(): void {
    for (const state of ["started", "completed"] as const) for (const slot of this.slots) slot(this, state);
  }

  get context(): DocumentRegistry.Context {
    return this as unknown as DocumentRegistry.Context;
  }
}

describe("what a notebook keeps of a deck", () => {
  const bundle = { protocol: 1, version: "0.1.0", store_id: "k3v9qa", ids: [], layout: "deck", snapshot: makeSnapshot([]), deck: makeRowsFrame(0, { change: 3 }) };
  const makeModel = (): { model: IRenderMime.IMimeModel; written: Record<string, unknown>[] } => {
    const written: Record<string, unknown>[] = [];
    const setData = (options: { data: Record<string, unknown> }): void => void written.push(options.data);
    return { model: { data: { "text/html": "old" }, metadata: {}, setData } as unknown as IRenderMime.IMimeModel, written };
  };
  const makeKeeper = (table: JobTable, model: IRenderMime.IMimeModel, place: FakeDocument): DeckKeeper => {
    const forms = (): Promise<Response> => Promise.resolve(Response.json({ html: "<b>new</b>", text: "new" }));
    const rest = new Rest({ baseUrl: new URL("http://x/"), token: "" }, forms, () => "");
    return new DeckKeeper(table, bundle as Bundle, model, rest, place.context);
  };

  it("is the newest jobs right before a save, where something has changed since", async () => {
    const table = tableOf(2);
    const place = new FakeDocument();
    const { model, written } = makeModel();
    const keeper = makeKeeper(table, model, place);
    await vi.advanceTimersByTimeAsync(20_000);
    place.save();
    place.save();
    expect(written).toHaveLength(1);
    const kept = written[0]?.[MIME_TYPE] as Bundle;
    expect([kept.layout, kept.deck?.rows?.length, kept.deck?.change]).toEqual(["deck", 2, 7]);
    expect(written[0]?.["text/html"]).toBe("<b>new</b>");
    keeper.dispose();
    expect([place.slots.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it("is left as it is where nothing has changed: opening a notebook does not change it", () => {
    const table = new JobTable(() => NOW);
    table.apply(makeRowsFrame(0, { rows: [makeWireRow(1)], change: 3 }));
    const place = new FakeDocument();
    const { model, written } = makeModel();
    makeKeeper(table, model, place).dispose();
    const keeper = makeKeeper(table, model, place);
    place.save();
    expect(written).toEqual([]);
    keeper.dispose();
  });
});

describe("what a notebook keeps of a group", () => {
  const group = makeGroup("s");
  const asked: string[] = [];
  const makeKeeper = (table: JobTable, saved: Bundle): { place: FakeDocument; written: Bundle[]; keeper: DeckKeeper; html: unknown[] } => {
    const place = new FakeDocument();
    const written: Bundle[] = [];
    const html: unknown[] = [];
    asked.length = 0;
    const setData = ({ data }: { data: Record<string, unknown> }): void => {
      written.push(data[MIME_TYPE] as Bundle);
      html.push(data["text/html"]);
    };
    const forms = (url: string): Promise<Response> => {
      asked.push(new URL(url).search);
      return Promise.resolve(Response.json({ html: "<b>new</b>", text: "new" }));
    };
    const model = { data: { [MIME_TYPE]: saved }, metadata: {}, setData } as unknown as IRenderMime.IMimeModel;
    const rest = new Rest({ baseUrl: new URL("http://x/"), token: "" }, forms, () => "");
    return { place, written, html, keeper: new DeckKeeper(table, saved, model, rest, place.context, "s") };
  };
  const bundleOf = (table: JobTable): Bundle => {
    const deck = { ...firstGroupFrame(table, "s"), change: 1 };
    return { protocol: 1, version: "0.1.0", store_id: "k3v9qa", ids: [], layout: "group", snapshot: makeSnapshot([]), deck, group };
  };
  const tableWith = (status: string): JobTable => {
    const table = new JobTable(() => NOW);
    table.apply(makeRowsFrame(0, { rows: [makeWireRow(2), makeWireRow(1, { group: "s", status })], change: 7, groups: [group] }));
    return table;
  };

  it("is how its jobs stand right before a save", async () => {
    const table = tableWith("RUNNING");
    const { place, written, html, keeper } = makeKeeper(table, bundleOf(table));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked).toEqual(["?ids=&layout=group&group=s"]);
    table.apply(makeRowsFrame(1, { reset: false, change: 8, total: 2, changes: { [makeWireRow(1).id]: { status: "DONE", ended: NOW } } }));
    place.save();
    expect(written.map(({ layout, deck, group: kept }) => [layout, deck?.counts, kept?.id])).toEqual([["group", { DONE: 1 }, "s"]]);
    expect(html).toEqual(["<b>new</b>"]);
    keeper.dispose();
    expect([place.slots.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it("is left as it is where its jobs are over and only others changed", async () => {
    const table = tableWith("DONE");
    const { place, written, keeper } = makeKeeper(table, bundleOf(table));
    await vi.advanceTimersByTimeAsync(20_000);
    place.save();
    expect([written, asked]).toEqual([[], []]);
    keeper.dispose();
  });
});

describe("the arrangement of a deck", () => {
  it("is kept with the workspace, a moment after the last change", async () => {
    const kept = new Map<string, unknown>([["jobdeck:deck", { query: "tag:old", sort: { column: "name", descending: false } }]]);
    const save = vi.fn((key: string, value: unknown) => Promise.resolve(void kept.set(key, value)));
    const place = { fetch: (key: string) => Promise.resolve(kept.get(key)), save } as unknown as IStateDB;
    const memory = new DeckMemory(place);
    await memory.ready;
    expect(memory.whole).toMatchObject({ query: "tag:old", sort: { column: "name", descending: false } });
    expect(memory.arrangement).toMatchObject({ query: "", open: null, sort: { column: "name" } });
    for (const query of ["t", "ta", "tag:new"]) memory.keep({ ...defaultState(), query });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(save).toHaveBeenCalledTimes(1);
    expect(kept.get("jobdeck:deck")).toMatchObject({ query: "tag:new" });
  });
});

describe("settings", () => {
  it("are those of the schema until a person's own are known", async () => {
    const properties = schema.properties as Record<string, { default: unknown }>;
    expect(Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, property.default]))).toEqual(DEFAULTS);
    const set = vi.fn(() => Promise.resolve());
    const source = { composite: { notifyAfter: 60 }, changed: { connect: vi.fn() }, set };
    const registry = { load: () => Promise.resolve(source) } as unknown as ISettingRegistry;
    const settings = new Settings(registry, "jobdeck:plugin");
    expect(settings.preferences.value).toEqual(DEFAULTS);
    await settings.ready;
    expect(settings.preferences.value).toEqual({ ...DEFAULTS, notifyAfter: 60 });
    await settings.set("panelSide", "right");
    expect(set).toHaveBeenCalledWith("panelSide", "right");
    expect(settings.preferences.value.panelSide).toBe("right");
  });

  it("can be changed for as long as the page is open where nothing keeps them", async () => {
    const settings = new Settings(null, "jobdeck:plugin");
    await settings.set("notify", false);
    expect(settings.preferences.value.notify).toBe(false);
  });
});
