import { describe, expect, it, vi } from "vitest";
import { effect } from "@preact/signals-core";
import { LONGEST_LINE, MOST_LINES, Terminal } from "../src/model/ansi";
import { Deck } from "../src/model/deck";
import { LogWindow } from "../src/model/log";
import { MessageWindow } from "../src/model/messages";
import { Output } from "../src/model/output";
import { isWhole } from "../src/model/result";
import { drawnAtFirst, MOST_POINTS, Series } from "../src/model/series";
import { face, foremost, lastFrame, opensByItself, ranked, tally } from "../src/model/status";
import { translator } from "../src/model/translation";
import { bytes, count, duration, elapsed, left, ordinal, share, took } from "../src/model/time";
import { makeDelta, makeJob, makeRows, makeSnapshot, NOW, STANDINGS } from "./support/wire";

const ID = makeJob().id;

function linesOf(...chunks: string[]): string[] {
  const terminal = new Terminal();
  for (const chunk of chunks) terminal.feed(chunk);
  return Array.from({ length: terminal.count }, (_, i) => terminal.line(i)?.spans.map((span) => span.text).join("") ?? "");
}

describe("a deck", () => {
  it("asks for a snapshot where a frame was missed, and applies what comes meanwhile", () => {
    const deck = new Deck();
    deck.apply(makeSnapshot([makeJob()]));
    expect(deck.apply(makeDelta(2, { jobs: { [ID]: { status: "DONE", final: true } } }))).toBe(false);
    expect(deck.job(ID)?.info.value.status).toBe("DONE");
    expect(deck.apply(makeDelta(3))).toBe(true);
  });

  it("shows times by the kernel's clock", () => {
    const deck = new Deck(() => 100);
    deck.apply(makeSnapshot([makeJob()]));
    expect(deck.now()).toBe(NOW);
  });

  it("lets the time of a saved snapshot stand still until a frame comes", () => {
    let clock = NOW + 1_000;
    const deck = new Deck(() => clock);
    deck.seed(makeSnapshot([makeJob()]));
    clock += 50;
    expect(deck.now()).toBe(NOW);
    deck.apply(makeSnapshot([makeJob()], { now: NOW + 1_050 }));
    clock += 1;
    expect(deck.now()).toBe(NOW + 1_051);
  });

  it("keeps a job that the store no longer has, and says so", () => {
    const deck = new Deck();
    deck.seed(makeSnapshot([makeJob()]));
    deck.apply(makeSnapshot([]));
    expect(deck.ids.value).toEqual([]);
    expect(deck.gone.value).toEqual([ID]);
    expect(deck.job(ID)?.isGone.value).toBe(true);
    deck.apply(makeSnapshot([makeJob()], { seq: 1 }));
    expect(deck.gone.value).toEqual([]);
    expect(deck.job(ID)?.isGone.value).toBe(false);
  });

  it("tells nobody about a snapshot that repeats what is known", () => {
    const deck = new Deck();
    const parts = { messages: { [ID]: makeRows(1, 3) }, logs: { [ID]: { start: 0, end: 2, text: "ab" } } };
    deck.apply(makeSnapshot([makeJob()], parts));
    const job = deck.job(ID);
    let heard = -1;
    const stop = effect(() => {
      void [job?.info.value, job?.messageChanges.value, job?.logChanges.value, deck.ids.value];
      heard += 1;
    });
    deck.apply(makeSnapshot([makeJob({ interim_count: 3, log_size: 2 })], { ...parts, seq: 1 }));
    stop();
    expect(heard).toBe(0);
  });

  it("counts interim results and output that a frame implies", () => {
    const deck = new Deck();
    deck.apply(makeSnapshot([makeJob()]));
    deck.apply(makeDelta(1, { messages: { [ID]: makeRows(5, 7) }, logs: { [ID]: { start: 0, end: 4, text: "done" } } }));
    expect(deck.job(ID)?.info.value).toMatchObject({ interim_count: 7, log_size: 4 });
  });

  it("saves what it would paint again", () => {
    const deck = new Deck(() => NOW);
    const parts = { messages: { [ID]: makeRows(1, 300) }, logs: { [ID]: { start: 0, end: 6, text: "äöü" } } };
    deck.apply(makeSnapshot([makeJob()], parts));
    const saved = deck.snapshot(200, 2);
    expect(saved.messages[ID]?.map((row) => row[0])).toEqual(Array.from({ length: 200 }, (_, i) => 101 + i));
    expect(saved.logs[ID]).toEqual({ start: 2, end: 6, text: "öü" });
    expect(saved).toMatchObject({ type: "snapshot", protocol: 1, store_id: "k3v9qa", now: NOW });
  });

  it("shows what keeps the feed from its store, until it is over", () => {
    const deck = new Deck();
    deck.apply({ type: "trouble", error: "the store is locked" });
    expect(deck.trouble.value).toBe("the store is locked");
    deck.apply({ type: "trouble", error: null });
    expect(deck.trouble.value).toBeNull();
  });
});

describe("a window on messages", () => {
  it("finds the holes that a fast job leaves", () => {
    const messages = new MessageWindow();
    messages.add(makeRows(1, 2));
    messages.add(makeRows(500, 501));
    expect(messages.hole(1, 501, 200)).toEqual({ start: 2, stop: 202 });
    messages.add(makeRows(3, 499));
    expect(messages.hole(1, 501, 200)).toBeNull();
  });

  it("does not grow with the number of messages, and keeps the newest", () => {
    const messages = new MessageWindow();
    for (let seq = 1; seq <= 100_000; seq += 200) messages.add(makeRows(seq, seq + 199));
    expect(messages.last).toBe(100_000);
    expect(messages.rows().length).toBeLessThanOrEqual(8_000);
    expect(messages.get(100_000)).toBeDefined();
    expect(messages.get(1)).toBeUndefined();
  });

  it("keeps a whole body where a cut one comes later", () => {
    const messages = new MessageWindow();
    messages.add([[1, NOW, '"whole"']]);
    messages.add([[1, NOW, '"wh', 7]]);
    expect(messages.get(1)).toEqual([1, NOW, '"whole"']);
  });
});

describe("a window on output", () => {
  it("joins chunks that touch or overlap, counting bytes", () => {
    const log = new LogWindow();
    log.add({ start: 0, end: 4, text: "äö" });
    log.add({ start: 2, end: 6, text: "öü" });
    log.add({ start: 6, end: 7, text: "!" });
    expect(log.chunks).toEqual([{ start: 0, end: 7, text: "äöü!" }]);
  });

  it("knows the newest gap, and closes it", () => {
    const log = new LogWindow();
    log.add({ start: 10, end: 12, text: "kl" });
    log.add({ start: 20, end: 21, text: "u" });
    expect(log.gap(100)).toEqual({ start: 12, stop: 20 });
    expect(log.gap(3)).toEqual({ start: 17, stop: 20 });
    log.add({ start: 12, end: 20, text: "mnopqrst" });
    expect(log.chunks).toEqual([{ start: 10, end: 21, text: "klmnopqrstu" }]);
    expect(log.gap(100)).toEqual({ start: 0, stop: 10 });
  });

  it("is bounded", () => {
    const log = new LogWindow();
    const text = "x".repeat(100_000);
    for (let i = 0; i < 100; i += 1) log.add({ start: i * 100_000, end: (i + 1) * 100_000, text });
    expect(log.end).toBe(10_000_000);
    expect(log.end - (log.chunks[0]?.start ?? 0)).toBeLessThanOrEqual(4_000_000);
  });

  it("becomes lines, with a note where bytes are missing", () => {
    const log = new LogWindow();
    const output = new Output(log);
    const text = (): string => output.lines((missing) => `(${missing} missing)`).text();
    log.add({ start: 0, end: 2, text: "a\n" });
    expect(text()).toBe("a\n");
    log.add({ start: 5, end: 6, text: "b" });
    expect(text()).toBe("a\n\n(3 missing)\nb");
    log.add({ start: 6, end: 7, text: "c" });
    expect(text()).toBe("a\n\n(3 missing)\nbc");
    log.add({ start: 2, end: 5, text: "xyz" });
    expect(text()).toBe("a\nxyzbc");
  });
});

describe("output", () => {
  it.each([
    ["a carriage return overwrites its line", ["  0%\r 50%\r100%\ndone\n"], ["100%", "done"]],
    ["what is longer stays behind what overwrites it", ["abcdef\rXY"], ["XYcdef"]],
    ["Windows' line ends are line ends", ["a\r\nb\r\n"], ["a", "b"]],
    ["a line end that came in two chunks is one", ["a\r", "\nb"], ["a", "b"]],
    ["an erased line is empty", ["abc\r\x1b[Kd"], ["d"]],
    ["nested progress bars move up", ["outer 0\ninner 0\x1b[A\router 1\n\rinner 1"], ["outer 1", "inner 1"]],
    ["a title is not printed", ["\x1b]0;title\x07text"], ["text"]],
    ["a sequence that came in two chunks is one", ["a\x1b[3", "1mb"], ["ab"]],
    ["backspace goes back", ["ab\bc"], ["ac"]],
    ["markup is text", ["<img src=x onerror=alert(1)>"], ["<img src=x onerror=alert(1)>"]],
  ])("%s", (_name, chunks, expected) => {
    expect(linesOf(...chunks)).toEqual(expected);
  });

  it("keeps colours", () => {
    const terminal = new Terminal();
    terminal.feed("\x1b[1;31mred\x1b[0m \x1b[38;5;208morange\x1b[48;2;1;2;3m!\x1b[0m");
    expect(terminal.line(0)?.spans).toEqual([
      { text: "red", style: { color: 1, bold: true } },
      { text: " ", style: {} },
      { text: "orange", style: { color: "rgb(255 135 0)" } },
      { text: "!", style: { color: "rgb(255 135 0)", background: "rgb(1 2 3)" } },
    ]);
  });

  it("cuts a line of ten megabytes, and says by how much", () => {
    const terminal = new Terminal();
    for (let i = 0; i < 100; i += 1) terminal.feed("x".repeat(100_000));
    terminal.feed("\nnext");
    expect(terminal.line(0)?.spans[0]?.text.length).toBe(LONGEST_LINE);
    expect(terminal.line(0)?.cut).toBe(10_000_000 - LONGEST_LINE);
    expect(terminal.line(1)?.spans[0]?.text).toBe("next");
  });

  it("keeps the newest lines of many, and their numbers", () => {
    const terminal = new Terminal();
    for (let i = 1; i <= 50_000; i += 1) terminal.feed(`line ${i}\n`);
    expect(terminal.count).toBeLessThanOrEqual(MOST_LINES * 1.1);
    const last = terminal.line(terminal.count - 1);
    expect(last?.spans[0]?.text).toBe("line 50000");
    expect(last?.number).toBe(50_000);
  });
});

describe("series", () => {
  const of = (...numbers: Record<string, number>[]): Series => {
    const series = new Series();
    series.add(numbers.map((part, i) => ({ seq: i + 1, numbers: part })));
    return series;
  };

  it("are drawn over the key that says how far the job is", () => {
    const table = of({ iteration: 1, energy: -1 }, { iteration: 2, energy: -1.1 }).table();
    expect(table).toEqual({ xName: "iteration", x: [1, 2], names: ["energy"], columns: [[-1, -1.1]] });
  });

  it("are drawn over the message's number where that key goes back", () => {
    expect(of({ epoch: 2, loss: 1 }, { epoch: 1, loss: 0 }).table()).toMatchObject({ xName: null, x: [1, 2] });
  });

  it("have a gap where a value is not finite, none where a message lacks it", () => {
    const table = of({ a: 1, b: 1 }, { a: Number.NaN }, { a: Infinity, b: 2 }).table();
    expect(table.columns).toEqual([
      [1, null, null],
      [1, undefined, 2],
    ]);
  });

  it("take older points in at their place, and none twice", () => {
    const series = of({ a: 1 });
    series.add([{ seq: 3, numbers: { a: 3 } }]);
    series.add([
      { seq: 2, numbers: { a: 2 } },
      { seq: 3, numbers: { a: 3 } },
    ]);
    expect(series.table().x).toEqual([1, 2, 3]);
  });

  it("are thinned out without losing an extreme", () => {
    const series = new Series();
    for (let seq = 1; seq <= 50_000; seq += 1) {
      series.add([{ seq, numbers: { a: seq === 12_345 ? 99 : Math.sin(seq), b: seq === 40_000 ? -99 : 0 } }]);
    }
    expect(series.size).toBeLessThanOrEqual(2 * MOST_POINTS);
    const [a, b] = series.table().columns;
    expect(Math.max(...(a as number[]))).toBe(99);
    expect(Math.min(...(b as number[]))).toBe(-99);
    expect(series.table().x.at(-1)).toBe(50_000);
  });

  it("leave out at first what would flatten the first one", () => {
    const rows = Array.from({ length: 20 }, (_, i) => ({ energy: -1 - i / 100, shots: 1000 * i, bound: -1.05 - i / 200 }));
    expect(drawnAtFirst(of(...rows).table())).toEqual([true, false, true]);
  });
});

describe("words", () => {
  it.each([
    [0, "0:00"],
    [12.9, "0:12"],
    [65, "1:05"],
    [3_725, "1:02:05"],
    [90_061, "1 d 1:01:01"],
    [-3, "0:00"],
  ])("a duration of %d s is %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it.each([
    [0, "0.01 s"],
    [0.024, "0.02 s"],
    [0.62, "0.6 s"],
    [0.99, "0.9 s"],
    [3.2, "0:03"],
    [-3, "0.01 s"],
  ])("what took %d s took %s", (seconds, text) => {
    expect(took(seconds)).toBe(text);
  });

  it("ordinals", () => {
    expect([1, 2, 3, 4, 11, 12, 13, 21, 101, 111].map((n) => ordinal(n, translator()))).toEqual(
      "1st 2nd 3rd 4th 11th 12th 13th 21st 101st 111th".split(" "),
    );
  });

  it("the time left follows the rate so far, and counts down between two reports", () => {
    const job = makeJob({ started: NOW - 12, progress: { done: 57, total: 100, message: null } });
    expect(duration(left(job, NOW, NOW) ?? -1)).toBe("0:09");
    expect(duration(left(job, NOW + 4, NOW) ?? -1)).toBe("0:05");
    expect(left(job, NOW + 60, NOW)).toBeNull();
    expect(elapsed(job, NOW)).toBe(12);
    expect(share(job)).toBe(0.57);
  });

  it.each([{ done: 5, total: null }, { done: 0, total: 10 }, { done: 11, total: 10 }])("nobody knows the time left of %j", (part) => {
    expect(left(makeJob({ progress: { ...part, message: null } }), NOW, NOW)).toBeNull();
  });

  it("sizes and counts", () => {
    expect([500, 50_331_648, 5_000_000_000].map(bytes)).toEqual(["500 B", "48 MiB", "4.7 GiB"]);
    expect([57, 10_412, 0.123456].map(count)).toEqual(["57", "10,412", "0.1235"]);
  });

  it("each status has a word and a tone; an unknown one shows as itself", () => {
    expect(face(makeJob({ status: "DONE", final: true }))).toEqual({ word: "Done", tone: "done" });
    expect(face(makeJob({ cancel_state: "requested" }))).toEqual({ word: "Cancelling…", tone: "stopping" });
    expect(face(makeJob({ cancel_state: "refused" }))).toEqual({ word: "Running", tone: "running" });
    expect(face(makeJob({ status: "constructor" }))).toEqual({ word: "constructor", tone: "unknown" });
  });

  it("only a running card opens by itself", () => {
    const open = ["RUNNING", "QUEUED", "DONE", "ERROR", "CANCELLED"].map((status) => opensByItself(makeJob({ status })));
    expect(open).toEqual([true, false, false, false, false]);
    expect(opensByItself(makeJob({ cancel_state: "stopping" }))).toBe(false);
  });

  it.each([
    ["42", true],
    ["[1, 2, {'a': 'less < more …'}]", true],
    ["'it\\'s all … here'", true],
    ["[0, 1, … 88 more]", false],
    ["'cut in the mid…", false],
    ["{'counts': <ndarray 4 int64>, 'of': 'a < b'}", false],
    ["{'deep': {…}}", false],
  ])("a result that reads %s is here as a whole: %s", (result, whole) => {
    expect(isWhole({ result, facts: {} })).toBe(whole);
  });

  it("a result that is kept elsewhere is here as a preview, whatever that says", () => {
    expect(isWhole({ result: "'short'", facts: { result: "7.0 MB, kept in the cluster" } })).toBe(false);
  });

  it.each(STANDINGS)("of several jobs, $counts say $status", ({ counts, is_whole: isWhole = true, has_begun: hasBegun = false, status }) => {
    expect(foremost(ranked(counts), { isWhole, hasBegun })).toBe(status);
  });

  it("a list counts its jobs by status", () => {
    const jobs = ["DONE", "RUNNING", "DONE", "odd"].map((status) => makeJob({ status }));
    expect(tally(jobs).map((part) => `${part.word} ${part.count}`)).toEqual(["Running 1", "Done 2", "odd 1"]);
  });

  it("a traceback's last frame names the place", () => {
    const text = 'Traceback (most recent call last):\n  File "/a/run.py", line 7, in <module>\n  File "/a/scan.py", line 41, in energy\nValueError: no';
    expect(lastFrame(text)).toBe("scan.py:41 in energy");
    expect(lastFrame('  File "/var/folders/ab/ipykernel_81/2941257112.py", line 26, in energy\n')).toBe("cell:26 in energy");
    expect(lastFrame('  File "/var/folders/ab/marimo_81/__marimo__cell_MJUe_.py", line 14, in energy\n')).toBe("cell:14 in energy");
    expect(lastFrame("no frames")).toBeNull();
    expect(lastFrame(null)).toBeNull();
  });
});

describe("a flood", () => {
  it("of 100,000 messages leaves a bounded deck", () => {
    const deck = new Deck();
    deck.apply(makeSnapshot([makeJob()]));
    const listener = vi.fn();
    for (let frame = 1; frame <= 500; frame += 1) {
      const from = frame * 200 - 199;
      const ok = deck.apply(makeDelta(frame, { messages: { [ID]: makeRows(from, from + 199, (seq) => ({ i: seq, y: seq % 7 })) } }));
      if (!ok) listener();
    }
    expect(listener).not.toHaveBeenCalled();
    const job = deck.job(ID);
    expect(job?.info.value.interim_count).toBe(100_000);
    expect(job?.messages.rows().length).toBeLessThanOrEqual(8_000);
    expect(job?.series.size).toBeLessThanOrEqual(2 * MOST_POINTS);
  });
});
