import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ticksOf } from "../src/model/ticks";
import { barAt, extentOf, laneAt, layOut, moved, pitchOf, recentOf, revealing, summaryOf, topOf, zoomed } from "../src/model/timeline";
import type { JobInfo } from "../src/model/wire";
import { Timeline } from "../src/view/deck/timeline";
import { expectAccessible, Page } from "./support/page";
import { HOSTILE, makeJob, NOW } from "./support/wire";

/** A job that was created, began and ended so many seconds after `NOW`. */
function job(id: string, created: number, started: number | null, ended: number | null, changes: Partial<JobInfo> = {}): JobInfo {
  const at = (time: number | null): number | null => (time === null ? null : NOW + time);
  const final = ended !== null;
  const status = final ? "DONE" : started === null ? "QUEUED" : "RUNNING";
  return makeJob({ id, name: `job ${id}`, created: NOW + created, started: at(started), ended: at(ended), final, status, ...changes });
}

function lanesOf(jobs: JobInfo[]): string[][] {
  return layOut(jobs).lanes.map((lane) => lane.map((bar) => bar.job.id));
}

describe("lanes", () => {
  it("are as many as jobs ran at one time, the lowest that is free first", () => {
    const jobs = [job("d", 0, 10, 12), job("c", 0, 6, 9), job("b", 0, 1, 8), job("a", 0, 0, 5)];
    expect(lanesOf(jobs)).toEqual([["a", "c", "d"], ["b"]]);
    expect(summaryOf(layOut(jobs)).peak).toBe(2);
  });

  it("stay taken by what goes on, and are free again the moment that something ends", () => {
    expect(lanesOf([job("a", 0, 0, null), job("b", 0, 1, 2), job("c", 0, 2, 3)])).toEqual([["a"], ["b", "c"]]);
  });

  it("of jobs that never ran come last", () => {
    const waiting = job("q", 0, null, null);
    const cancelled = job("x", 1, null, 2, { status: "CANCELLED" });
    const { lanes, ran } = layOut([waiting, cancelled, job("a", 5, 6, 7)]);
    expect([lanes.map((lane) => lane.map((bar) => bar.job.id)), ran]).toEqual([[["a"], ["q"], ["x"]], 1]);
    expect(lanes[1]?.[0]).toMatchObject({ from: NOW, end: Infinity });
  });

  it("show how long a job waited as far as there is room", () => {
    const [lane] = layOut([job("a", -3, 0, 5), job("b", -3, 7, 9)]).lanes;
    expect(lane?.map((bar) => bar.from - NOW)).toEqual([-3, 5]);
  });

  it("hold no bar that overlaps another, whatever the times", () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const jobs = Array.from({ length: 2_000 }, (_, i) => {
      const created = Math.round(random() * 1_000);
      const started = random() < 0.2 ? null : created + Math.round(random() * 20 - 2);
      const ended = random() < 0.1 ? null : (started ?? created) + Math.round(random() * 30 + 1);
      return job(String(i), created, started, ended);
    });
    const { lanes, bars } = layOut(jobs);
    expect(bars.length).toBe(2_000);
    for (const lane of lanes) for (const [i, bar] of lane.entries()) expect(bar.from).toBeGreaterThanOrEqual(lane[i - 1]?.end ?? -Infinity);
    for (const bar of bars) expect(bar.from <= bar.start && bar.start <= bar.end).toBe(true);
    const ran = bars.filter((bar) => bar.job.started !== null);
    const running = ran.map((one) => ran.filter((bar) => bar.start <= one.start && bar.end > one.start).length);
    expect(summaryOf(layOut(jobs)).peak).toBe(Math.max(...running));
  });
});

describe("the time that is shown", () => {
  const span = { from: 0, to: 100 };
  const extent = { from: -50, to: 150 };

  it("is zoomed around a moment, not without end", () => {
    expect(zoomed(span, 0.5, 20, extent)).toEqual({ from: 10, to: 60 });
    const tiny = zoomed(span, 1e-9, 20, extent);
    expect(tiny.to - tiny.from).toBeCloseTo(0.01);
    const huge = zoomed(span, 1e9, 20, extent);
    expect(huge.to - huge.from).toBe(400);
  });

  it("is never moved away from all there is", () => {
    expect(moved(span, 30, extent)).toEqual({ from: 30, to: 130 });
    expect(moved(span, 1e6, extent)).toEqual({ from: 150, to: 250 });
    expect(moved(span, -1e6, extent)).toEqual({ from: -150, to: -50 });
  });

  it("moves as far as it takes to see a bar", () => {
    const bars = layOut([job("a", -NOW, 40 - NOW, 50 - NOW), job("b", -NOW, 120 - NOW, 130 - NOW)]).bars;
    const [a, b] = bars;
    if (!a || !b) throw new Error("two jobs are two bars");
    expect(revealing(span, a, 200, extent)).toEqual(span);
    const shown = revealing(span, b, 200, extent);
    expect(shown.from <= 120 && shown.to >= 130 && shown.to - shown.from === 100).toBe(true);
  });

  it("begins with what came after the last long break", () => {
    const lanes = layOut([job("old", -90_000, -90_000, -89_000), job("a", -500, -490, -300), job("b", -200, -190, null)]);
    expect(recentOf(lanes, NOW).from - NOW).toBeCloseTo(-510);
    expect(extentOf(lanes, NOW).from - NOW).toBeLessThan(-90_000);
    expect(extentOf(lanes, NOW).to).toBeGreaterThan(NOW);
  });

  it("of no jobs is the last minute", () => {
    expect(extentOf(layOut([]), NOW)).toEqual({ from: NOW - 60, to: NOW });
    expect(recentOf(layOut([]), NOW)).toEqual({ from: NOW - 60, to: NOW });
  });
});

describe("places", () => {
  const many = layOut(Array.from({ length: 40 }, (_, i) => job(String(i), 0, i < 20 ? 0 : null, null)));

  it("of lanes get closer where there are many, down to a limit", () => {
    expect(pitchOf(layOut([job("a", 0, 0, 1)]), 100)).toEqual({ ran: 16, waited: 8 });
    expect(pitchOf(many, 300)).toEqual({ ran: 15, waited: 3 });
    expect(pitchOf(many, 50)).toEqual({ ran: 6, waited: 3 });
  });

  it("are found from heights and heights from places", () => {
    const pitch = { ran: 10, waited: 4 };
    expect([topOf(3, many, pitch), topOf(22, many, pitch), topOf(40, many, pitch)]).toEqual([30, 208, 280]);
    expect([laneAt(-1, many, pitch), laneAt(39, many, pitch), laneAt(208, many, pitch)]).toEqual([-1, 3, 22]);
  });

  it("tell the nearest bar within reach", () => {
    const lane = layOut([job("a", 0, 0, 10), job("b", 12, 12, 20)]).lanes[0] ?? [];
    const at = (time: number): string | undefined => barAt(lane, NOW + time, 1, NOW + 30)?.job.id;
    expect([at(-2), at(-0.5), at(5), at(10.4), at(11.5), at(15), at(25)]).toEqual([undefined, "a", "a", "a", "b", "b", undefined]);
  });
});

describe("an axis of time", () => {
  const noon = new Date(2025, 10, 20, 12, 0, 7).getTime() / 1_000;
  const labels = (seconds: number): string[] => ticksOf({ from: noon, to: noon + seconds }, seconds / 8).map((tick) => tick.label);
  const day = (date: Date, options: Intl.DateTimeFormatOptions = { month: "short", day: "numeric" }): string =>
    date.toLocaleDateString(undefined, options);

  it("has marks at round local times, and tells the day once", () => {
    const today = day(new Date(2025, 10, 20));
    expect(labels(60).slice(0, 2)).toEqual([`${today} 12:00:10`, "12:00:20"]);
    expect(labels(7_200).slice(0, 2)).toEqual([`${today} 12:15`, "12:30"]);
    expect(labels(0.05).slice(0, 2)).toEqual([`${today} 12:00:07.000`, "12:00:07.010"]);
    const night = labels(86_400);
    expect(night).toContain(`${day(new Date(2025, 10, 21))} 00:00`);
    expect(night.slice(0, 2)).toEqual([`${today} 15:00`, "18:00"]);
  });

  it("counts days, months and years by the calendar", () => {
    expect(labels(5 * 86_400)[0]).toBe(day(new Date(2025, 10, 21)));
    expect(labels(200 * 86_400)[0]).toBe(day(new Date(2025, 11, 1), { month: "short", year: "numeric" }));
    expect(labels(2_600 * 86_400).slice(0, 2)).toEqual(["2026", "2027"]);
  });

  it.each([1e-3, 0.3, 7, 60, 3_600, 86_400, 1e7, 1e9])("has few marks, apart and in order, over %d seconds", (seconds) => {
    const ticks = ticksOf({ from: noon, to: noon + seconds }, seconds / 8);
    expect(ticks.length).toBeLessThanOrEqual(10);
    for (const [i, tick] of ticks.entries()) expect(tick.time).toBeGreaterThan(ticks[i - 1]?.time ?? 0);
  });
});

/** A canvas that writes down what is drawn on it. */
function recordCanvas(): { fills: [color: unknown, x: number, y: number, wide: number, high: number][]; texts: string[]; paints: () => number } {
  const fills: [unknown, number, number, number, number][] = [];
  const texts: string[] = [];
  let paints = 0;
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation((() => {
    const context = {
      fillStyle: "",
      clearRect: () => {
        paints += 1;
        fills.length = 0;
        texts.length = 0;
      },
      fillRect: (x: number, y: number, wide: number, high: number) => fills.push([context.fillStyle, x, y, wide, high]),
      fillText: (text: string) => texts.push(text),
      measureText: (text: string) => ({ width: 5 * text.length }),
      createPattern: () => "stripes",
      ...Object.fromEntries(["setTransform", "save", "restore", "beginPath", "rect", "clip", "moveTo", "lineTo", "fill", "strokeRect"].map((name) => [name, () => undefined])),
    };
    return context;
  }) as unknown as typeof HTMLCanvasElement.prototype.getContext);
  return { fills, texts, paints: () => paints };
}

describe("a timeline", () => {
  let page: Page;
  const jobs = [job("c", -20, null, null), job("b", -60, -50, null, { name: HOSTILE }), job("a", -100, -90, -60)];
  const opened = vi.fn<(id: string) => void>();
  const view = (rows = jobs, now = NOW): preact.VNode => (
    <Timeline rows={rows} now={() => now} selected={new Set(["a"])} onOpen={opened} />
  );
  const painted = (): Promise<void> => act(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
  const said = (): string => page.find("[aria-live]").textContent;

  beforeEach(() => {
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(117);
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(400);
    page = new Page();
    opened.mockClear();
  });

  afterEach(() => page.close());

  it("says in words what it shows, and shows nothing where there are no jobs", async () => {
    await page.show(view());
    expect(page.find("[role=img]").getAttribute("aria-label")).toBe("3 jobs · 1 running · 1 waiting");
    await expectAccessible(page.root);
    await page.show(view([]));
    expect(page.root.childNodes.length).toBe(0);
  });

  it("is there, of its full size, once there are jobs where there were none", async () => {
    const { fills } = recordCanvas();
    await page.show(view([]));
    await page.show(view());
    await painted();
    expect(fills.length).toBeGreaterThan(0);
    expect((page.find("canvas") as HTMLCanvasElement).width).toBeGreaterThan(0);
  });

  it("is walked from job to job with the keyboard, tells each, and opens one", async () => {
    await page.show(view());
    const lanes = page.find("[role=application]");
    expect(await page.press("ArrowDown", lanes)).toBeNull();
    expect(said()).toMatch(/^job a, Done · local, started .*, took 0:30$/);
    await page.press("ArrowDown", lanes);
    expect(said()).toContain(`${HOSTILE}, Running · local`);
    expect(page.find(".jobdeck-tip b").textContent).toBe(HOSTILE);
    expect(page.all("img")).toEqual([]);
    await page.press("End", lanes);
    expect(said()).toMatch(/^job c, Queued · local, created .*, waiting for 0:20$/);
    await page.press("Enter", lanes);
    expect(opened).toHaveBeenCalledWith("c");
    await page.press("Escape", lanes);
    expect(said()).toBe("");
  });

  it("leaves keys that are not its own to the page around it", async () => {
    await page.show(view());
    const lanes = page.find("[role=application]");
    expect(await page.press("Escape", lanes)).not.toBeNull();
    expect(await page.press("+", lanes, { ctrlKey: true })).not.toBeNull();
    expect(await page.press("a", lanes)).not.toBeNull();
  });

  it("zooms and moves by keys and buttons, and shows all again", async () => {
    const { texts, paints } = recordCanvas();
    await page.show(view());
    await painted();
    const all = texts.join();
    const lanes = page.find("[role=application]");
    await page.press("+", lanes);
    await page.press("+", lanes);
    await page.press("ArrowRight", lanes);
    await painted();
    expect(texts.join()).not.toBe(all);
    await page.press("0", lanes);
    await painted();
    expect(texts.join()).toBe(all);
    expect(page.button("Show all").getAttribute("aria-pressed")).toBe("true");
    await page.click("Zoom in");
    await painted();
    expect(texts.join()).not.toBe(all);
    expect(paints()).toBeLessThan(12);
  });

  it("opens the job that is clicked, tells the one that is pointed at, and takes a drag for neither", async () => {
    await page.show(view());
    const canvas = page.find("canvas");
    const send = (kind: string, x: number, y: number): Promise<void> =>
      act(() => void canvas.dispatchEvent(new (kind === "click" ? MouseEvent : PointerEvent)(kind, { clientX: x, clientY: y, bubbles: true })));
    // From 100 seconds ago, and a margin of 2, to now: 104 seconds are 400 pixels.
    await send("pointermove", (22 / 104) * 400, 6);
    expect(page.find(".jobdeck-tip b").textContent).toBe("job a");
    expect(said()).toBe("");
    await send("click", (22 / 104) * 400, 6);
    expect(opened.mock.calls).toEqual([["a"]]);
    canvas.setPointerCapture = vi.fn();
    await send("pointerdown", 60, 6);
    await send("pointermove", 90, 6);
    await send("pointerup", 90, 6);
    await send("click", 90, 6);
    expect(opened).toHaveBeenCalledTimes(1);
    await send("pointerleave", 0, 0);
    expect(page.all(".jobdeck-tip")).toEqual([]);
  });

  it("draws ten thousand bars that share a pixel once, and every failure", async () => {
    const { fills } = recordCanvas();
    const rows = Array.from({ length: 10_000 }, (_, i) => job(String(i), i, i, i + 1, i === 5_000 ? { status: "ERROR" } : {}));
    await page.show(view(rows, NOW + 10_000));
    await painted();
    expect(fills.length).toBeGreaterThan(300);
    expect(fills.length).toBeLessThan(2_000);
    expect(fills.filter((fill) => fill[3] === 2 && fill[4] === 16).length).toBe(1);
  });

  it("follows what goes on, as slowly as a person wants it", async () => {
    const { paints } = recordCanvas();
    const delays: number[] = [];
    const plain = globalThis.setTimeout;
    vi.spyOn(globalThis, "setTimeout").mockImplementation(((act: () => void, delay?: number) => {
      if (delay) delays.push(delay);
      return plain(act, delay ? 1e6 : 0);
    }));
    vi.spyOn(window, "matchMedia").mockImplementation((media) => Object.assign(new EventTarget(), { matches: true, media }) as MediaQueryList);
    await page.show(view());
    await painted();
    expect(paints()).toBe(1);
    expect(delays).toContain(1_000);
  });

  it("leaves no observer, timer, frame or listener behind", async () => {
    recordCanvas();
    const observers = new Set<unknown>();
    for (const name of ["ResizeObserver", "MutationObserver", "IntersectionObserver"]) {
      vi.stubGlobal(
        name,
        class {
          observe(): void {
            observers.add(this);
          }
          disconnect(): void {
            observers.delete(this);
          }
        },
      );
    }
    const timers = new Set<unknown>();
    const [start, stop] = [globalThis.setTimeout, globalThis.clearTimeout];
    vi.spyOn(globalThis, "setTimeout").mockImplementation(((act: () => void, delay?: number) => {
      const timer = start(act, delay);
      if (delay === 260 || delay === 1_000) timers.add(timer);
      return timer;
    }));
    vi.spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
      timers.delete(timer);
      stop(timer);
    });
    await page.show(view());
    await painted();
    expect([observers.size, timers.size]).toEqual([3, 1]);
    await page.show(null);
    expect([observers.size, timers.size]).toEqual([0, 0]);
  });
});
