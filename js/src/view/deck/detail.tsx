import type { VNode } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { Session } from "../../host/session";
import { Deck } from "../../model/deck";
import { PROTOCOL, type Snapshot } from "../../model/wire";
import { Card } from "../card";
import { EnvContext, usePlace } from "../env";
import { useDeck, type DeckControl } from "./control";

/** A job's card beside the table, live over the deck's own connection. */
export function Detail({ id }: { id: string }): VNode {
  const place = usePlace();
  const control = useDeck();
  const session = useSession(id, control);
  const env = useMemo(() => session && { ...place, session }, [place, session]);
  return (
    <section class="jobdeck-pane" aria-label={place.t("Details")}>
      <header class="jobdeck-pane-head">
        <span class="jobdeck-quiet">{place.t("Details")}</span>
        <button type="button" class="jobdeck-button" aria-label={place.t("Close details")} onClick={() => control.closePane()}>
          ✕
        </button>
      </header>
      {env && session ? (
        <EnvContext.Provider value={env}>
          <Cards session={session} />
        </EnvContext.Provider>
      ) : null}
    </section>
  );
}

function Cards({ session }: { session: Session }): VNode {
  const { t } = usePlace();
  const { deck } = session;
  const ids = [...deck.ids.value, ...deck.gone.value];
  const trouble = deck.trouble.value;
  return (
    <>
      {ids.map((each) => {
        const job = deck.job(each);
        return job ? <Card key={each} job={job} stays /> : null;
      })}
      {ids.length === 0 && deck.applied.value >= 0 ? <p class="jobdeck-note">{t("This job is no longer in its store.")}</p> : null}
      {trouble ? <p class="jobdeck-note jobdeck-trouble">{trouble.slice(0, 1_000)}</p> : null}
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
