import { HostError, type Host } from "../../host/host";
import type { BulkName, BulkOrder, Outcome, Report } from "../../model/wire";
import { marking as trans, type Translation } from "../../model/translation";

/** Ids in one order: a message to the server may be 128 KiB long. */
const MOST_IDS = 4_000;

/** What became of a bulk order. */
export interface BulkResult {
  command: BulkName;
  counts: Partial<Record<Outcome, number>>;
  /** Why some were refused: a sentence, and the names of the jobs. */
  reasons: { sentence: string; names: string[] }[];
  /** Why nothing was done, or not to all. */
  error: string | null;
  /** Ids of the new jobs of a retry. */
  made: string[];
}

/** Send an order, in parts where it is about very many jobs, and put the answers together. */
export async function gather(host: Host, order: BulkOrder & { ids: readonly string[] }, names: ReadonlyMap<string, string>): Promise<BulkResult> {
  const result: BulkResult = { command: order.command, counts: {}, reasons: [], error: null, made: [] };
  const reasons = new Map<string, string[]>();
  for (let first = 0; first < order.ids.length && result.error === null; first += MOST_IDS) {
    const report = await ask(host, { ...order, ids: order.ids.slice(first, first + MOST_IDS) });
    result.error = report.error;
    for (const [outcome, count] of Object.entries(report.counts) as [Outcome, number][]) {
      result.counts[outcome] = (result.counts[outcome] ?? 0) + count;
    }
    result.made.push(...Object.values(report.made));
    for (const [id, sentence] of Object.entries(report.reasons)) {
      reasons.set(sentence, [...(reasons.get(sentence) ?? []), names.get(id) ?? id]);
    }
  }
  result.reasons = [...reasons].map(([sentence, about]) => ({ sentence, names: about }));
  return result;
}

async function ask(host: Host, order: BulkOrder): Promise<Report> {
  try {
    return await host.bulk(order);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { type: "report", request: 0, error: error.message, outcomes: {}, counts: {}, made: {}, reasons: {} };
  }
}

const WORDS: readonly [Outcome, string][] = [
  ["cancelled", trans.__("{n} cancelled")],
  ["asked", trans.__("{n} asked to stop")],
  ["retried", trans.__("{n} started again")],
  ["deleted", trans.__("{n} deleted")],
  ["tagged", trans.__("{n} tagged")],
  ["ended", trans.__("{n} had ended before")],
  ["missing", trans.__("{n} no longer there")],
  ["refused", trans.__("{n} refused")],
];

/** `312 cancelled, 8 asked to stop, 3 had ended before`. */
export function outcomeWords(counts: BulkResult["counts"], trans: Translation): string {
  const parts = WORDS.filter(([outcome]) => (counts[outcome] ?? 0) > 0);
  return parts.map(([outcome, words]) => trans.gettext(words, { n: (counts[outcome] ?? 0).toLocaleString("en-US") })).join(", ");
}
