import { marking as trans } from "../model/translation";
import type { FromKernel, RangeReply, Reply, Report } from "../model/wire";
import { HostError } from "./host";

export type Answer = RangeReply | Reply | Report;

/** Many jobs take their time, and what becomes of them is told once. */
const BULK_PATIENCE = 60_000;

/** Tell whether a frame answers a request. */
export function isAnswer(frame: FromKernel): frame is Answer {
  return frame.type === "range" || frame.type === "reply" || frame.type === "report";
}

interface Pending {
  settle: (answer: Answer) => void;
  reject: (error: HostError) => void;
  timer: ReturnType<typeof setTimeout>;
}

/** Requests that wait for the answer of their number. */
export class Requests {
  private readonly pending = new Map<number, Pending>();
  private last = 0;

  constructor(
    private readonly timeout: number,
    private readonly late: string,
  ) {}

  get size(): number {
    return this.pending.size;
  }

  /** Send a request by `send`, which gets its number, and wait for the answer of that number. */
  ask<Wanted extends Answer>(type: Wanted["type"], send: (request: number) => void): Promise<Wanted> {
    const request = (this.last += 1);
    const timeout = type === "report" ? Math.max(this.timeout, BULK_PATIENCE) : this.timeout;
    return new Promise<Wanted>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.pending.delete(request);
        reject(new HostError(this.late));
      }, timeout);
      const settle = (answer: Answer): void => {
        if (answer.type === type) resolve(answer as Wanted);
        else reject(new HostError(trans.__("The answer was not the one that was asked for.")));
      };
      this.pending.set(request, { settle, reject, timer });
      try {
        send(request);
      } catch (error) {
        this.take(request);
        reject(new HostError(`The request could not be sent: ${error instanceof Error ? error.message : String(error)}`));
      }
    });
  }

  /** Hand an answer to whoever waits for it; one that nobody waits for (another tab's) is passed over. */
  answer(answer: Answer): void {
    this.take(answer.request)?.settle(answer);
  }

  rejectAll(reason: string): void {
    for (const request of [...this.pending.keys()]) this.take(request)?.reject(new HostError(reason));
  }

  private take(request: number): Pending | undefined {
    const pending = this.pending.get(request);
    this.pending.delete(request);
    if (pending) clearTimeout(pending.timer);
    return pending;
  }
}
