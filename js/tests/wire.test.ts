import { describe, expect, it } from "vitest";
import { displayText, numbersOf, pictureUrl } from "../src/model/body";
import { Deck, type JobState } from "../src/model/deck";
import { fillRow, JobTable } from "../src/model/table";
import * as wire from "../src/model/wire";
import type { FromKernel } from "../src/model/wire";
import { BODIES, FRAMES, isFeedFrame, type Conversation } from "./support/wire";

function take(deck: Deck, frame: FromKernel): boolean {
  if (isFeedFrame(frame)) return deck.apply(frame);
  if (frame.type === "range") {
    const job = deck.job(frame.id);
    if (frame.messages) job?.addMessages(frame.messages);
    if (frame.log) job?.addLog(frame.log);
  }
  return true;
}

function stateOf(deck: Deck): Omit<Conversation["state"], "seq"> {
  const jobs = deck.ids.value.map((id) => deck.job(id)).filter((job): job is JobState => job !== undefined);
  return {
    jobs: jobs.map((job) => job.info.value),
    messages: Object.fromEntries(jobs.map((job) => [job.id, job.messages.rows()])),
    logs: Object.fromEntries(jobs.map((job) => [job.id, job.log.chunks[0] ?? { start: 0, end: 0, text: "" }])),
  };
}

describe("the wire fixtures", () => {
  it.each(FRAMES.conversations)("lead a deck to the agreed state: $name", (conversation) => {
    const deck = new Deck();
    const inStep = conversation.frames.map((frame) => take(deck, frame));
    expect(inStep.every(Boolean)).toBe(!conversation.wants_resync);
    for (const frame of conversation.then ?? []) expect(take(deck, frame)).toBe(true);
    const { jobs, messages, logs } = conversation.state;
    expect(stateOf(deck)).toEqual({ jobs, messages, logs });
    expect(deck.applied.value).toBe(conversation.state.seq);
  });

  it.each(FRAMES.deck)("lead a table to the agreed rows: $name", ({ frames, rows }) => {
    const table = new JobTable();
    expect(frames.map((frame) => table.apply(frame)).every(Boolean)).toBe(true);
    expect(table.rows.value).toEqual(rows.map(fillRow));
    expect(table.isComplete.value).toBe(true);
    const last = frames[frames.length - 1];
    expect([table.change, table.storeId, table.counts.value]).toEqual([last?.change, last?.store_id, last?.counts]);
  });

  it("agree on the limits", () => {
    const { PROTOCOL, MIME_TYPE, RANGE_MESSAGES, RANGE_LOG } = wire;
    expect(FRAMES.limits).toMatchObject({ PROTOCOL, MIME_TYPE, RANGE_MESSAGES, RANGE_LOG });
  });

  it.each(Object.entries(FRAMES.from_kernel))("are frames: %s", (_name, frame) => {
    expect(wire.isFrame(frame)).toBe(true);
  });

  it("hold a bundle that can be painted", () => {
    expect(wire.isBundle(FRAMES.bundle)).toBe(true);
  });

  it.each([null, 1, "snapshot", [], {}, { type: "snapshot", protocol: 99, jobs: [] }, { type: "delta" }])(
    "do not take %j for a frame",
    (value) => {
      expect(wire.isFrame(value)).toBe(false);
    },
  );
});

describe("message bodies", () => {
  it.each(BODIES)("show as in Python: $name", ({ body, display }) => {
    expect(displayText(body)).toBe(display);
  });

  it.each(BODIES)("give the numbers that Python finds: $name", ({ body, numbers }) => {
    const plain = (value: unknown): unknown => (typeof value === "number" ? value : numbersOf(JSON.stringify(value))?.value);
    const expected = Object.entries(numbers).map(([name, value]) => [name, plain(value)]);
    expect(numbersOf(body) ?? {}).toEqual(Object.fromEntries(expected));
  });

  it("that were cut show as they are", () => {
    expect(displayText('{"a": "<img src=x')).toBe('{"a": "<img src=x');
  });

  it("keep the order of keys that look like numbers", () => {
    expect(displayText('{"b": 1, "10": 2, "2": 3}')).toBe('{"b": 1, "10": 2, "2": 3}');
  });

  it("become a picture only if they hold a PNG", () => {
    const image = BODIES.find((body) => body.name === "image")?.body ?? "";
    expect(pictureUrl(image)).toMatch(/^data:image\/png;base64,iVBORw0KGgo/);
    expect(pictureUrl(image.replace("iVBORw0KGgo", "PHN2ZyBvbmx"))).toBeNull();
    expect(pictureUrl(image.replace("iVBORw0KGgo", "iVBORw0KGgo\\u0022 onload=alert(1)"))).toBeNull();
    expect(pictureUrl('"iVBORw0KGgo"')).toBeNull();
  });

  it("nested without end are no error", () => {
    const deep = "[".repeat(100_000);
    expect(displayText(deep)).toBe(deep);
  });
});
