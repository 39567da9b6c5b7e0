import { CommandRegistry } from "@lumino/commands";
import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RunningJobs } from "../src/lab/running-jobs";
import { Commands, type JobsPage } from "../src/lab/tokens";
import { JobTable } from "../src/model/table";
import type { BulkOrder } from "../src/model/wire";
import { translator } from "../src/model/translation";
import { makeGroup, makeRowsFrame, makeWireRow, NOW } from "./support/wire";

// JupyterLab's own parts need a browser to be loaded in.
vi.mock("@jupyterlab/apputils", () => ({ Notification: { error: vi.fn() } }));
vi.mock("../src/lab/icon", () => ({ jobsIcon: {} }));

const id = (number: number): string => makeWireRow(number).id;

describe("the jobs in the panel of what runs", () => {
  const orders: BulkOrder[] = [];
  const opened = vi.fn();
  const released = vi.fn();
  const table = new JobTable(() => NOW);
  let jobs: RunningJobs;

  beforeEach(() => {
    const commands = new CommandRegistry();
    for (const name of [Commands.open, Commands.openJob]) commands.addCommand(name, { execute: (given) => void opened(name, given) });
    const host = { bulk: (order: BulkOrder) => Promise.resolve({ error: null, order: orders.push(order) }) };
    const deck = { table, host: signal(host), note: signal(null), use: () => released };
    // Of a page it needs no more than this.
    jobs = new RunningJobs({ deck, services: null, trans: translator() } as unknown as JobsPage, commands);
    const member = (number: number, status: string): ReturnType<typeof makeWireRow> => makeWireRow(number, { group: "s", status, started: status === "RUNNING" ? NOW : null, ended: null });
    const rows = [
      makeWireRow(9, { name: "alone", status: "RUNNING", started: NOW - 9, ended: null, progress: { done: 1, total: 4, message: null } }),
      ...[8, 7, 6].map((number) => member(number, "QUEUED")),
      member(5, "RUNNING"),
      makeWireRow(4, { group: "s", ended: NOW }),
      makeWireRow(3, { group: "over", ended: NOW }),
      makeWireRow(2, { ended: NOW }),
    ];
    table.apply(makeRowsFrame(0, { rows, total: rows.length, groups: [makeGroup("s", { name: "scan", total: 5 }), makeGroup("over", { total: 9 })] }));
    jobs.refreshRunning();
  });

  afterEach(() => {
    jobs.dispose();
    expect(released).toHaveBeenCalledOnce();
    vi.clearAllMocks();
  });

  it("are those that have not ended, and a group is one of them with its count", () => {
    const shown = jobs.running().map((item) => [item.label(), item.detail?.()]);
    expect(shown).toEqual([["scan", "1 of 5 jobs"], ["alone", "25 %"]]);
    expect(jobs.shutdownAllConfirmationText()).toBe("Cancel all 5 jobs that run or wait?");
  });

  it("are opened as what they are, and a group is cancelled as its jobs", async () => {
    const [group, alone] = jobs.running();
    group?.open?.();
    alone?.open?.();
    await Promise.resolve();
    expect(opened.mock.calls).toEqual([[Commands.open, { group: "s" }], [Commands.openJob, { id: id(9), name: "alone" }]]);
    group?.shutdown?.();
    expect(orders).toEqual([{ command: "cancel", ids: [id(8), id(7), id(6), id(5)] }]);
  });
});
