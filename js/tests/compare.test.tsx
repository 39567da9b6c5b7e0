import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Host } from "../src/host/host";
import { choicesOf, join, lastOf, pointsOf } from "../src/model/compare";
import { Series } from "../src/model/series";
import type { FeedFrame, JobInfo, MessageRow } from "../src/model/wire";
import { strokeOf } from "../src/view/chart";
import { Compare } from "../src/view/deck/compare";
import { expectAccessible, Page } from "./support/page";
import { HOSTILE, makeDelta, makeJob, makeRows, makeSnapshot } from "./support/wire";

// uPlot paints on a canvas, which this DOM does not have: what it is given is recorded instead.
const plots = vi.hoisted(() => ({ open: 0, data: [] as unknown[][], shown: [] as boolean[], point: null as ((index: number | null) => void) | null }));
vi.mock("uplot", () => ({
  default: class {
    constructor(options: { series: { show?: boolean }[]; hooks: { setCursor: ((plot: unknown) => void)[] } }, data: unknown[]) {
      plots.open += 1;
      plots.data.push(data);
      plots.shown = options.series.slice(1).map(({ show }) => show ?? false);
      plots.point = (idx) => options.hooks.setCursor[0]?.({ cursor: { idx } });
    }
    setData(data: unknown[]): void {
      plots.data.push(data);
    }
    destroy(): void {
      plots.open -= 1;
    }
  },
}));

function series(...messages: Record<string, number>[]): Series {
  const made = new Series();
  made.add(messages.map((numbers, i) => ({ seq: i + 1, numbers })));
  return made;
}

describe("what can be compared", () => {
  it("is what jobs have in common, over an axis that all have and whose values never fall", () => {
    const a = series({ iteration: 1, energy: 3, own: 1 }, { iteration: 2, energy: 2 });
    const b = series({ energy: 5, iteration: 1, loss: 1 }, { energy: 4, iteration: 2, loss: 0 });
    expect(choicesOf([a, b])).toEqual({ x: ["iteration", null], y: ["energy", "iteration"] });
    const falling = series({ iteration: 2, energy: 1 }, { iteration: 1, energy: 1 });
    expect(choicesOf([a, falling])).toEqual({ x: [null], y: ["iteration", "energy"] });
  });

  it("does not wait for jobs without numbers, and needs a second number beside an axis", () => {
    expect(choicesOf([series({ loss: 1, epoch: 1 }), series()])).toEqual({ x: ["epoch", null], y: ["loss", "epoch"] });
    expect(choicesOf([series({ step: 1 }), series({ step: 2 })])).toEqual({ x: [null], y: ["step"] });
    expect(choicesOf([series({ a: 1 }), series({ b: 2 })])).toEqual({ x: [null], y: [] });
    expect(choicesOf([])).toEqual({ x: [null], y: [] });
  });
});

describe("lines", () => {
  it("share an axis: a place that a line does not have is no gap, a number that is not finite is", () => {
    const a = series({ step: 1, loss: 4 }, { step: 3, loss: Number.NaN }, { step: 5, loss: 2 }).line("step", "loss", 100);
    const b = series({ step: 2, loss: 7 }, { step: 3, loss: 6 }).line("step", "loss", 100);
    expect(join([a, b])).toEqual({ x: [1, 2, 3, 5], columns: [[4, undefined, null, 2], [undefined, 7, 6, undefined]] });
    expect(lastOf(a)).toEqual({ x: 5, y: 2 });
    expect(lastOf({ x: [1], y: [null] })).toBeNull();
  });

  it("over the message's number leave out messages without the number", () => {
    expect(series({ a: 1 }, { b: 2 }, { a: 3 }).line(null, "a", 100)).toEqual({ x: [1, 3], y: [1, 3] });
  });

  it("of many points keep their extremes", () => {
    const many = series(...Array.from({ length: 3_000 }, (_, i) => ({ a: i === 1_234 ? 99 : Math.sin(i) })));
    const { x, y } = many.line(null, "a", pointsOf(30));
    expect(x.length).toBeLessThanOrEqual(1.1 * pointsOf(30));
    expect([Math.max(...y.map(Number)), x.at(-1)]).toEqual([99, 3_000]);
  });

  it("are told apart by colour and strokes", () => {
    const strokes = Array.from({ length: 30 }, (_, i) => JSON.stringify(strokeOf(i)));
    expect(new Set(strokes).size).toBe(30);
  });
});

/** A host whose jobs' store is the test. */
class FakeHost {
  readonly asked: (readonly string[])[] = [];
  disposed = 0;
  ranges: string[] = [];
  private listeners: ((frame: FeedFrame) => void)[] = [];

  cards(ids: readonly string[]): Host {
    this.asked.push(ids);
    const refuse = (): never => {
      throw new Error("a chart asks for no such thing");
    };
    return {
      capabilities: { live: true, commands: false },
      subscribe: (listener) => {
        this.listeners.push(listener);
        return () => {
          this.listeners = this.listeners.filter((other) => other !== listener);
        };
      },
      range: (query) => {
        this.ranges.push(`${query.id} ${query.start} ${query.stop ?? ""}`);
        const messages = makeRows(query.start + 1, query.stop ?? 0, (i) => ({ step: i, loss: 1 / i }));
        return Promise.resolve({ type: "range", request: 1, id: query.id, error: null, messages, log: null, whole: null });
      },
      dispose: () => {
        this.disposed += 1;
      },
      resync: refuse,
      command: refuse,
      bulk: refuse,
      cards: refuse,
      deck: refuse,
    };
  }

  get load(): number {
    return this.listeners.length;
  }

  emit(frame: FeedFrame): Promise<void> {
    return act(async () => {
      for (const listener of this.listeners) listener(frame);
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    });
  }
}

describe("a comparison", () => {
  let page: Page;
  let host: FakeHost;
  const ids = ["a", "b"];
  const compare = (of: readonly string[] = ids) => <Compare ids={of} host={host} nameOf={(id) => (id === "a" ? HOSTILE : `job ${id}`)} />;
  const jobs = (changes: Partial<JobInfo> = {}): JobInfo[] => [makeJob({ id: "a", ...changes }), makeJob({ id: "b" })];
  const numbers = (from: number, to: number): MessageRow[] => makeRows(from, to, (i) => ({ step: i, loss: 1 / i, rate: i }));
  const cells = (): string[][] =>
    page.all("tbody tr").map((row) => [...row.querySelectorAll("th,td")].map((cell) => cell.textContent));
  const start = async (): Promise<void> => {
    await page.show(compare());
    await host.emit(makeSnapshot(jobs(), { messages: { a: numbers(1, 2), b: numbers(1, 4) } }));
  };

  beforeEach(() => {
    page = new Page();
    host = new FakeHost();
    plots.data = [];
  });

  afterEach(() => page.close());

  it("draws one line a job over what all count by, and tells their last values in a table", async () => {
    await start();
    await vi.waitFor(() => expect(plots.data.at(-1)).toEqual([[1, 2, 3, 4], [1, 0.5, undefined, undefined], [1, 0.5, 1 / 3, 0.25]]));
    expect(cells()).toEqual([
      [HOSTILE, "Running", "2", "0.5"],
      ["job b", "Running", "4", "0.25"],
    ]);
    expect(page.all("select").map((select) => (select as HTMLSelectElement).value)).toEqual(["loss", "step"]);
    expect(page.all("img")).toEqual([]);
    await expectAccessible(page.root);
  });

  it("goes on while the jobs run", async () => {
    await start();
    await host.emit(makeDelta(1, { messages: { a: numbers(3, 3) }, jobs: { b: { status: "DONE", final: true } } }));
    await vi.waitFor(() => expect(cells()[0]).toEqual([HOSTILE, "Running", "3", "0.333333"]));
    expect(cells()[1]?.[1]).toBe("Done");
    await host.emit(makeDelta(2, { removed: ["b"] }));
    expect(page.root.textContent).toContain("no longer in its store");
  });

  it("fetches what came before, one job after the other", async () => {
    await page.show(compare());
    await host.emit(makeSnapshot(jobs(), { messages: { a: numbers(11, 12), b: numbers(21, 22) } }));
    await vi.waitFor(() => expect(host.ranges).toEqual(["a 0 10", "b 0 20"]));
    await vi.waitFor(() => expect(plots.data.at(-1)?.[0]).toHaveLength(22));
  });

  it("compares another number, over another axis, where a person wants that", async () => {
    await start();
    const [y, x] = page.all("select") as HTMLSelectElement[];
    if (!x || !y) throw new Error("there are two choices");
    await page.type(y, "rate");
    await page.type(x, "");
    expect(page.all("thead th").map((cell) => cell.textContent)).toEqual(["Job", "Status", "message", "rate"]);
    await vi.waitFor(() => expect(plots.data.at(-1)?.[1]).toEqual([1, 2, undefined, undefined]));
    expect(await page.press("ArrowDown", x)).toBeNull();
  });

  it("leaves a line out that its button says so of", async () => {
    await start();
    await vi.waitFor(() => expect(plots.open).toBe(1));
    await page.click(HOSTILE);
    expect(page.button(HOSTILE).getAttribute("aria-pressed")).toBe("false");
    await vi.waitFor(() => expect(plots.shown).toEqual([false, true]));
    expect(plots.open).toBe(1);
  });

  it("tells the values where the pointer is", async () => {
    await start();
    await vi.waitFor(() => expect(plots.open).toBe(1));
    await act(() => plots.point?.(2));
    expect(page.find("caption").textContent).toBe("At step 3");
    expect(cells().map((row) => row[3])).toEqual(["–", "0.333333"]);
    await act(() => plots.point?.(null));
    expect(page.find("caption").textContent).toBe("Last values");
  });

  it("of more than thirty jobs says that it takes the first thirty", async () => {
    await page.show(compare(Array.from({ length: 1_200 }, (_, i) => `id-${i}`)));
    expect(host.asked[0]).toHaveLength(30);
    expect(page.find(".jobdeck-note").textContent).toBe("The first 30 of 1,200 jobs are compared.");
  });

  it("says why there is nothing to see", async () => {
    await page.show(compare());
    expect(page.root.textContent).toBe("Loading…");
    await host.emit(makeSnapshot(jobs(), { messages: { a: makeRows(1, 2, () => "words") } }));
    expect(page.root.textContent).toBe("These jobs have published no numbers of the same name yet.");
    await host.emit({ type: "trouble", error: "The store is locked." });
    expect(page.find(".jobdeck-trouble").textContent).toBe("The store is locked.");
  });

  it("asks anew for other jobs, and leaves nothing behind", async () => {
    await start();
    await vi.waitFor(() => expect(plots.open).toBe(1));
    await page.show(compare([...ids]));
    expect(host.asked.length).toBe(1);
    await page.show(compare(["b", "c"]));
    expect([host.asked.at(-1), host.disposed, host.load]).toEqual([["b", "c"], 1, 1]);
    await page.show(null);
    expect([host.disposed, host.load, plots.open]).toEqual([2, 0, 0]);
  });
});
