import type { VNode } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { Session } from "../../host/session";
import { Deck } from "../../model/deck";
import { count } from "../../model/time";
import { PROTOCOL, type Snapshot } from "../../model/wire";
import { Card } from "../card";
import { EnvContext, usePlace } from "../env";
import { Compare } from "./compare";
import { useDeck, type DeckControl, type Pane } from "./control";

/** What is open beside the table, or below it: a job's card, or the plots of several. */
export function PaneView({ pane }: { pane: Pane }): VNode {
  const { trans } = usePlace();
  const control = useDeck();
  const title = pane.kind === "job" ? trans.__("Details") : trans.__("Plots of {n} jobs", { n: count(pane.ids.length) });
  return (
    <section class="jobdeck-pane" aria-label={title}>
      <header class="jobdeck-pane-head">
        <span class="jobdeck-quiet">{title}</span>
        <button type="button" class="jobdeck-button" aria-label={trans.__("Close details")} onClick={() => control.closePane()}>
          ✕
        </button>
      </header>
      {pane.kind === "job" ? (
        <Detail key={pane.id} id={pane.id} />
      ) : (
        <Compare ids={pane.ids} host={control.host} nameOf={(id) => control.table.row(id)?.name ?? id} />
      )}
    </section>
  );
}

/** A job's card, live over the deck's own connection. */
function Detail({ id }: { id: string }): VNode | null {
  const place = usePlace();
  const session = useSession(id, useDeck());
  const env = useMemo(() => session && { ...place, session }, [place, session]);
  return env ? (
    <EnvContext.Provider value={env}>
      <Cards session={env.session} />
    </EnvContext.Provider>
  ) : null;
}

function Cards({ session }: { session: Session }): VNode {
  const { trans } = usePlace();
  const { deck } = session;
  const ids = [...deck.ids.value, ...deck.gone.value];
  const trouble = deck.trouble.value;
  return (
    <>
      {ids.map((each) => {
        const job = deck.job(each);
        return job ? <Card key={each} job={job} stays /> : null;
      })}
      {ids.length === 0 && deck.applied.value >= 0 ? <p class="jobdeck-note">{trans.__("This job is no longer in its store.")}</p> : null}
      {trouble ? <p class="jobdeck-note jobdeck-trouble">{trans.gettext(trouble).slice(0, 1_000)}</p> : null}
    </>
  );
}

function useSession(id: string, { host, table }: DeckControl): Session | null {
  const [session, setSession] = useState<Session | null>(null);
  useEffect(() => {
    const deck = new Deck();
    const row = table.row(id);
    const now = table.now();
    const known = { protocol: PROTOCOL, seq: 0, store_id: table.storeId, now, jobs: row ? [row] : [], messages: {}, logs: {} };
    // What the row tells is shown until the feed tells the rest.
    if (row) deck.seed({ type: "snapshot", ...known } satisfies Snapshot, host.capabilities.live);
    const opened = new Session(deck, host.cards([id]));
    setSession(opened);
    return () => opened.dispose();
  }, [id, host, table]);
  return session;
}
