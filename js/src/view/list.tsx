import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import { tally } from "../model/status";
import { count } from "../model/time";
import { Card } from "./card";
import { useEnv } from "./env";
import { useVirtualRows } from "./virtual";

/** Jobs of a short list are all on the page; a longer one scrolls. */
const SHORT = 12;
const HEIGHT = 34;

/** Many jobs, newest first, one line each until it is opened. */
export function CardList(): VNode {
  const { session, t } = useEnv();
  const { deck } = session;
  const ids = deck.ids.value;
  const sorted = useMemo(() => {
    const created = new Map(ids.map((id) => [id, deck.job(id)?.info.peek().created ?? 0]));
    return ids.toSorted((a, b) => (created.get(b) ?? 0) - (created.get(a) ?? 0));
  }, [deck, ids]);
  const rows = useVirtualRows(sorted.length, HEIGHT, (index) => sorted[index] ?? String(index));
  if (sorted.length === 0) return <p class="jobdeck-empty jobdeck-none">{t("No jobs yet.")}</p>;
  const isShort = sorted.length <= SHORT;
  const card = (id: string | undefined): VNode | null => {
    const job = id === undefined ? undefined : deck.job(id);
    return job ? <Card key={job.id} job={job} opens={false} /> : null;
  };
  return (
    <section class="jobdeck-list" aria-label={t("Jobs")}>
      <Counts />
      {isShort ? (
        sorted.map(card)
      ) : (
        <div class="jobdeck-many" ref={rows.ref} tabIndex={0} role="region" aria-label={t("Jobs, newest first")}>
          <div class="jobdeck-tall" style={{ height: `${rows.total}px` }}>
            {rows.items.map((item) => (
              <div
                key={sorted[item.index]}
                class="jobdeck-many-row"
                ref={rows.measure}
                data-index={item.index}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                {card(sorted[item.index])}
              </div>
            ))}
          </div>
        </div>
      )}
    </section>
  );
}

function Counts(): VNode {
  const { session, t } = useEnv();
  const infos = session.deck.ids.value.map((id) => session.deck.job(id)?.info.value).filter((info) => info !== undefined);
  return (
    <header class="jobdeck-counts">
      <span>
        {t("All")} <b class="jobdeck-number">{count(infos.length)}</b>
      </span>
      {tally(infos).map((part) => (
        <span key={part.status}>
          <bdi>{t(part.word)}</bdi> <b class="jobdeck-number">{count(part.count)}</b>
        </span>
      ))}
    </header>
  );
}
