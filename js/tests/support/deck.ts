/** A deck view in the page, over a host whose answers are the test's. */
import { act } from "preact/test-utils";
import { vi } from "vitest";
import type { FrameListener, Host } from "../../src/host/host";
import { JobTable } from "../../src/model/table";
import type { BulkOrder, GroupInfo, Reply, Report, RowsFrame, WireRow } from "../../src/model/wire";
import { mountDeck, type DeckProps } from "../../src/view/deck";
import { makeRowsFrame, makeSnapshot, NOW } from "./wire";

/** What a DOM without layout says of its sizes. */
export const VIEWPORT = { width: 1_000, height: 300 };

/** Gives scrolling elements a size, and a width to those who watch it. */
export function layOut(): void {
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(VIEWPORT.height);
  vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockReturnValue(VIEWPORT.width);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(VIEWPORT.height);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockImplementation(() => VIEWPORT.width);
}

export class FakeHost implements Host {
  readonly capabilities = { live: true, commands: true };
  readonly orders: BulkOrder[] = [];
  readonly commands: unknown[][] = [];
  readonly opened: string[][] = [];
  watching = 0;
  report: Partial<Report> = {};
  reply: Partial<Reply> = {};
  private readonly cardListeners = new Set<FrameListener>();

  constructor(private readonly ids: readonly string[] = []) {}

  subscribe(listener: FrameListener): () => void {
    this.watching += 1;
    this.cardListeners.add(listener);
    return () => {
      this.watching -= 1;
    };
  }

  deck(): () => void {
    throw new Error("whoever owns the table follows the deck");
  }

  cards(ids: readonly string[]): Host {
    this.opened.push([...ids]);
    const host = new FakeHost(ids);
    host.subscribe = (listener) => {
      this.watching += 1;
      this.cardListeners.add(listener);
      return () => {
        this.watching -= 1;
        this.cardListeners.delete(listener);
      };
    };
    return host;
  }

  /** Tell the open cards that the store has none of their jobs. */
  forget(): void {
    for (const listener of this.cardListeners) listener(makeSnapshot([]));
  }

  resync(): void {
    throw new Error(`nothing was missed of ${this.ids.join()}`);
  }

  range(): Promise<never> {
    return Promise.reject(new Error("no ranges here"));
  }

  command(...args: unknown[]): Promise<Reply> {
    this.commands.push(args);
    return Promise.resolve({ type: "reply", request: 0, error: null, job: null, ...this.reply });
  }

  bulk(order: BulkOrder): Promise<Report> {
    this.orders.push(order);
    const none = { outcomes: {}, counts: {}, made: {}, reasons: {} };
    return Promise.resolve({ type: "report", request: 0, error: null, ...none, ...this.report });
  }

  dispose(): void {
    // Nothing was opened.
  }
}

/** Do something, and wait for the answers that are there at once. */
export function settled(doing: () => unknown): Promise<void> {
  return act(async () => {
    doing();
    for (let i = 0; i < 30; i += 1) await Promise.resolve();
  });
}

export class DeckPage {
  readonly root = document.createElement("div");
  readonly host = new FakeHost();
  readonly table = new JobTable(() => NOW);
  private seq = 0;
  private unmount: () => void = () => undefined;

  /** Show these jobs, of a table that is complete. */
  async open(rows: readonly WireRow[], props: Partial<DeckProps> = {}, groups: GroupInfo[] = []): Promise<void> {
    document.body.append(this.root);
    this.table.apply(makeRowsFrame(0, { rows: rows.toSorted((a, b) => b.number - a.number), total: rows.length, counts: countsOf(rows), groups }));
    await act(() => {
      this.unmount = mountDeck(this.root, { host: this.host, table: this.table, ...props });
    });
  }

  frame(parts: Partial<RowsFrame>): Promise<void> {
    const { total, counts } = this.table;
    const now = { total: total.peek(), counts: counts.peek() };
    return act(() => void this.table.apply(makeRowsFrame((this.seq += 1), { ...now, ...parts })));
  }

  close(): void {
    this.unmount();
    this.root.remove();
  }

  all(selector: string): HTMLElement[] {
    return [...this.root.querySelectorAll<HTMLElement>(selector)];
  }

  find(selector: string): HTMLElement {
    const element = this.root.querySelector<HTMLElement>(selector);
    if (!element) throw new Error(`${selector} is not there: ${this.root.textContent}`);
    return element;
  }

  get grid(): HTMLElement {
    return this.find(".jobdeck-grid");
  }

  /** Names of the jobs in the rows, from above. */
  get names(): string[] {
    const rows = this.all("[data-id]");
    const place = (row: HTMLElement): number => Number(row.getAttribute("aria-rowindex"));
    return rows.sort((a, b) => place(a) - place(b)).map((row) => row.querySelector("[data-column=name]")?.textContent ?? "");
  }

  /** What the lines are called, from above: groups with how many jobs they have. */
  get lines(): string[] {
    const place = (row: HTMLElement): number => Number(row.getAttribute("aria-rowindex"));
    const rows = this.all("[data-line]").sort((a, b) => place(a) - place(b));
    return rows.map((row) => (row.querySelector("[data-column=name]")?.textContent ?? "").replace(/^[▸▾]/, ""));
  }

  line(group: string): HTMLElement {
    return this.find(`[data-line="group:${group}"]`);
  }

  get selected(): string[] {
    return this.all("[data-id][aria-selected=true]").map((row) => row.querySelector("[data-column=name]")?.textContent ?? "");
  }

  row(name: string): HTMLElement {
    const found = this.all("[data-id]").find((row) => row.querySelector("[data-column=name]")?.textContent === name);
    if (!found) throw new Error(`no row says ${name}: ${this.names.join()}`);
    return found;
  }

  button(label: string): HTMLButtonElement {
    const says = (button: HTMLElement): boolean => (button.getAttribute("aria-label") ?? button.textContent) === label;
    const found = this.all("button").find(says);
    if (!found) throw new Error(`no button says ${label}: ${this.all("button").map((button) => button.textContent).join(" | ")}`);
    return found as HTMLButtonElement;
  }

  click(target: HTMLElement | string, more: MouseEventInit = {}): Promise<void> {
    const element = typeof target === "string" ? this.button(target) : target;
    return settled(() => element.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ...more })));
  }

  /** Press a key on an element, the table where none is given. Returns whether the page around heard it. */
  async press(key: string, more: KeyboardEventInit = {}, target: HTMLElement = this.grid): Promise<boolean> {
    let heard = false;
    const listen = (): void => {
      heard = true;
    };
    document.body.addEventListener("keydown", listen);
    await act(() => void target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more })));
    document.body.removeEventListener("keydown", listen);
    return heard;
  }

  type(text: string): Promise<void> {
    const box = this.find("[role=combobox]") as HTMLInputElement;
    return act(() => {
      box.value = text;
      box.setSelectionRange(text.length, text.length);
      box.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
}

export function countsOf(rows: readonly WireRow[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row.status, (counts.get(row.status) ?? 0) + 1);
  return Object.fromEntries(counts);
}
