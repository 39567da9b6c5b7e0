/** Transports without a kernel or a server behind them. */
import type { Socket } from "../../src/host/server";
import type { Schedule } from "../../src/host/schedule";
import type { WidgetModel } from "../../src/host/comm";
import type { FromBrowser } from "../../src/model/wire";

type Callback = (...args: never[]) => void;

/** An anywidget model whose kernel is the test. */
export class FakeModel implements WidgetModel {
  readonly sent: FromBrowser[] = [];
  onSend: (frame: FromBrowser) => void = () => undefined;
  private readonly callbacks = new Map<string, Set<Callback>>();

  constructor(private readonly traits: Record<string, unknown> = {}) {}

  get(name: string): unknown {
    return this.traits[name];
  }

  on(name: string, callback: Callback): void {
    this.callbacks.set(name, (this.callbacks.get(name) ?? new Set()).add(callback));
  }

  off(name?: string | null, callback?: Callback | null): void {
    if (name && callback) this.callbacks.get(name)?.delete(callback);
  }

  send(content: unknown): void {
    this.sent.push(content as FromBrowser);
    this.onSend(content as FromBrowser);
  }

  /** A custom message from the kernel. */
  emit(frame: unknown): void {
    for (const callback of this.callbacks.get("msg:custom") ?? []) (callback as (content: unknown) => void)(frame);
  }

  change(name: string, value: unknown): void {
    this.traits[name] = value;
    for (const callback of this.callbacks.get(`change:${name}`) ?? []) (callback)();
  }

  get listeners(): number {
    return [...this.callbacks.values()].reduce((sum, set) => sum + set.size, 0);
  }
}

/** A comm that a page has opened, whose kernel is the test. */
export class FakeComm {
  readonly sent: { request?: number }[] = [];
  isClosed = false;
  onOpen: (data: unknown) => void = () => undefined;
  private onMessage: (message: { content: { data: unknown } }) => void = () => undefined;
  private onClose: () => void = () => undefined;

  open(data: unknown): void {
    this.onOpen(data);
  }

  send(data: unknown): void {
    this.sent.push(data as { request?: number });
  }

  on_msg(callback: (message: { content: { data: unknown } }) => void): void {
    this.onMessage = callback;
  }

  on_close(callback: () => void): void {
    this.onClose = callback;
  }

  close(): void {
    this.isClosed = true;
  }

  answer(data: unknown): void {
    this.onMessage({ content: { data } });
  }

  /** The kernel closes it. */
  end(): void {
    this.onClose();
  }
}

/** A WebSocket whose server is the test. */
export class FakeSocket implements Socket {
  readyState = 0;
  readonly sent: FromBrowser[] = [];
  isClosed = false;
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;

  constructor(readonly url: string) {}

  send(data: string): void {
    this.sent.push(JSON.parse(data) as FromBrowser);
  }

  close(): void {
    this.readyState = 3;
    this.isClosed = true;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.(new Event("open"));
  }

  emit(frame: unknown): void {
    this.onmessage?.(new MessageEvent("message", { data: JSON.stringify(frame) }));
  }

  /** The server, or the way to it, goes away. */
  drop(code = 1006): void {
    this.readyState = 3;
    this.onclose?.(new CloseEvent("close", { code }));
  }
}

/** Applies frames at once. */
export function flushing(): Schedule {
  return (act) => {
    act();
    return () => undefined;
  };
}
