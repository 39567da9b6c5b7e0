import { render, type VNode } from "preact";
import { useMemo } from "preact/hooks";
import type { ReadonlySignal } from "@preact/signals";
import type { Session } from "../host/session";
import type { Layout } from "../model/wire";
import { Card } from "./card";
import { translator, type Translation } from "../model/translation";
import { EnvContext, rootId, ticker, useEnv } from "./env";
import { guardKeys } from "./keys";
import { CardList } from "./list";

interface Props {
  session: Session;
  layout: Layout;
  trans: Translation;
  /** A quiet line below, such as where this state comes from. */
  note: ReadonlySignal<string | null>;
  /** The cards are open and cannot be closed, as in a tab that is about one job. */
  stays?: boolean;
}

function Cards({ stays }: { stays: boolean }): VNode {
  const { session, trans } = useEnv();
  const { deck } = session;
  const ids = [...deck.ids.value, ...deck.gone.value];
  if (ids.length === 0) return <p class="jobdeck-empty jobdeck-none">{trans.__("No jobs yet.")}</p>;
  return (
    <>
      {ids.map((id) => {
        const job = deck.job(id);
        return job ? <Card key={id} job={job} stays={stays} /> : null;
      })}
    </>
  );
}

function Root({ session, layout, trans, note, stays = false }: Props): VNode {
  const env = useMemo(() => ({ session, trans, idPrefix: rootId(), tick: ticker() }), [session, trans]);
  const trouble = session.deck.trouble.value;
  return (
    <EnvContext.Provider value={env}>
      <div class="jobdeck-root" data-feed-seq={session.deck.applied}>
        {layout === "list" ? <CardList /> : <Cards stays={stays} />}
        {trouble ? (
          <p class="jobdeck-note jobdeck-trouble" role="status">
            <bdi>{trans.gettext(trouble).slice(0, 1_000)}</bdi>
          </p>
        ) : null}
        {note.value ? <p class="jobdeck-note">{note.value}</p> : null}
      </div>
    </EnvContext.Provider>
  );
}

/** Show a session's jobs in an element. Returns what takes them out again; the session stays the caller's. */
export function mount(element: Element, props: Omit<Props, "trans"> & { trans?: Translation }): () => void {
  const trans = props.trans ?? translator();
  const release = guardKeys();
  render(<Root {...props} trans={trans} />, element);
  return () => {
    render(null, element);
    release();
  };
}
