import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Deck } from "../model/deck";
import { tally } from "../model/status";
import { Card } from "./card";
import { Chip } from "./chip";
import { useEnv } from "./env";
import { useVirtualRows } from "./virtual";

/** Jobs of a short list are all on the page; a longer one scrolls. */
const SHORT = 12;
const HEIGHT = 34;

/** The jobs of one status among some; all of them for null. */
function ofStatus(deck: Deck, ids: readonly string[], status: string | null): readonly string[] {
  if (status === null) return ids;
  return ids.filter((id) => {
    const job = deck.job(id);
    void job?.phase.value;
    return job?.info.peek().status === status;
  });
}

/** Many jobs, newest first, one line each until it is opened; all of them, or those of one status. */
export function CardList(): VNode {
  const { session, trans } = useEnv();
  const { deck } = session;
  const ids = deck.ids.value;
  const sorted = useMemo(() => {
    const created = new Map(ids.map((id) => [id, deck.job(id)?.info.peek().created ?? 0]));
    return ids.toSorted((a, b) => (created.get(b) ?? 0) - (created.get(a) ?? 0));
  }, [deck, ids]);
  const [status, setStatus] = useState<string | null>(null);
  const shown = ofStatus(deck, sorted, status);
  const rows = useVirtualRows(shown.length, HEIGHT, (index) => shown[index] ?? String(index));
  if (sorted.length === 0) return <p class="jobdeck-empty jobdeck-none">{trans.__("No jobs yet.")}</p>;
  const isShort = shown.length <= SHORT;
  const card = (id: string | undefined): VNode | null => {
    const job = id === undefined ? undefined : deck.job(id);
    return job ? <Card key={job.id} job={job} opens={false} /> : null;
  };
  return (
    <section class="jobdeck-list" aria-label={trans.__("Jobs")}>
      <Counts chosen={status} onChoose={setStatus} />
      {isShort ? (
        shown.map(card)
      ) : (
        <div class="jobdeck-many" ref={rows.ref} tabIndex={0} role="region" aria-label={trans.__("Jobs, newest first")}>
          <div class="jobdeck-tall" style={{ height: `${rows.total}px` }}>
            {rows.items.map((item) => (
              <div
                key={shown[item.index]}
                class="jobdeck-many-row"
                ref={rows.measure}
                data-index={item.index}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                {card(shown[item.index])}
              </div>
            ))}
          </div>
        </div>
      )}
    </section>
  );
}

interface CountsProps {
  chosen: string | null;
  onChoose: (status: string | null) => void;
}

function Counts({ chosen, onChoose }: CountsProps): VNode {
  const { session, trans } = useEnv();
  const infos = session.deck.ids.value.map((id) => session.deck.job(id)?.info.value).filter((info) => info !== undefined);
  return (
    <header class="jobdeck-counts" role="group" aria-label={trans.__("Show by status")}>
      <Chip label={trans.__("All")} count={infos.length} isOn={chosen === null} onClick={() => onChoose(null)} />
      {tally(infos).map(({ status, word, count }) => (
        <Chip
          key={status}
          label={trans.gettext(word)}
          count={count}
          isOn={chosen === status}
          onClick={() => onChoose(chosen === status ? null : status)}
        />
      ))}
    </header>
  );
}
