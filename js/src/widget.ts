/** The anywidget module: a cell's cards, live over their widget's comm. */
import { signal } from "@preact/signals";
import { CommHost, type WidgetModel } from "./host/comm";
import { Rest } from "./host/http";
import { LAB_MARK, readPage } from "./host/page";
import { Session } from "./host/session";
import { Deck } from "./model/deck";
import { isFrame, type Layout, type Snapshot } from "./model/wire";
import { mount } from "./view/root";

interface RenderProps {
  model: WidgetModel;
  el: HTMLElement;
}

interface Shared {
  session: Session;
  views: number;
}

/** Two views of one model share its feed, so that it is asked for once. */
const shared = new WeakMap<WidgetModel, Shared>();

/** The page's server, if it has jobdeck on this store: a command goes through it even while the kernel is busy. */
async function findServer(model: WidgetModel, storeId: string): Promise<Rest | null> {
  const page = model.get("_http") === false ? null : readPage(document);
  if (!page) return null;
  const rest = new Rest(page);
  try {
    const info = await rest.info();
    return info?.store_id === storeId ? rest : null;
  } catch {
    // The page's server is away, or the page may not speak to it: the comm is there.
    return null;
  }
}

/** Whether a snapshot was read for this page, a moment ago, or comes from a saved notebook. */
function isFresh(snapshot: Snapshot): boolean {
  return Math.abs(Date.now() / 1000 - snapshot.now) < 30;
}

function open(model: WidgetModel): Shared {
  const known = shared.get(model);
  if (known) return known;
  const deck = new Deck();
  const snapshot = model.get("_snapshot");
  if (isFrame(snapshot) && snapshot.type === "snapshot") deck.seed(snapshot, isFresh(snapshot));
  const session = new Session(deck, new CommHost(model, findServer(model, deck.storeId), () => deck.storeId));
  const entry = { session, views: 0 };
  shared.set(model, entry);
  return entry;
}

/**
 * JupyterLab with our extension shows its outputs by itself, fed by the server: then the kernel need not feed this model,
 * too. A view that is made all the same asks for its feed.
 */
function initialize({ model }: Pick<RenderProps, "model">): void {
  if (!document.documentElement.hasAttribute(LAB_MARK)) return;
  const snapshot = model.get("_snapshot");
  if (!isFrame(snapshot) || snapshot.type !== "snapshot") return;
  void findServer(model, snapshot.store_id).then((server) => {
    if (server && !shared.has(model)) model.send({ type: "subscribe", ids: [] });
  });
}

function render({ model, el }: RenderProps): () => void {
  const entry = open(model);
  entry.views += 1;
  const layout: Layout = model.get("_layout") === "list" ? "list" : "card";
  const unmount = mount(el, { session: entry.session, layout, note: signal(null) });
  return () => {
    unmount();
    entry.views -= 1;
    if (entry.views > 0) return;
    shared.delete(model);
    entry.session.dispose();
  };
}

export default { initialize, render };
