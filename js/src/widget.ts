/** The anywidget module: a cell's cards, or the deck of all jobs, live over their widget's comm. */
import { signal } from "@preact/signals";
import { CommHost, type WidgetModel } from "./host/comm";
import { followDeck } from "./host/follow";
import { Rest } from "./host/http";
import { LAB_MARK, readPage } from "./host/page";
import { Session } from "./host/session";
import { Deck } from "./model/deck";
import { JobTable } from "./model/table";
import { isFrame, mismatch, type Layout, type RowsFrame, type Snapshot } from "./model/wire";
import { mountDeck } from "./view/deck";
import { keepState, keptState } from "./view/deck/kept";
import { mount } from "./view/root";

interface RenderProps {
  model: WidgetModel;
  el: HTMLElement;
}

/** What the views of one model share, so that its kernel is asked once. */
interface Shared {
  mount: (element: HTMLElement) => () => void;
  close: () => void;
  views: number;
}

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
    // The page's server is away, of another version, or the page may not speak to it: the comm is there.
    return null;
  }
}

/** Whether a snapshot was read for this page, a moment ago, or comes from a saved notebook. */
function isFresh(frame: Snapshot | RowsFrame): boolean {
  return Math.abs(Date.now() / 1000 - frame.now) < 30;
}

function isDeck(model: WidgetModel): boolean {
  return model.get("_layout") === "deck";
}

function openCards(model: WidgetModel): Shared {
  const deck = new Deck();
  const snapshot = model.get("_snapshot");
  if (isFrame(snapshot) && snapshot.type === "snapshot") deck.seed(snapshot, isFresh(snapshot));
  const session = new Session(deck, new CommHost(model, findServer(model, deck.storeId), () => deck.storeId));
  const layout: Layout = model.get("_layout") === "list" ? "list" : "card";
  const note = signal(mismatch(snapshot));
  return { mount: (element) => mount(element, { session, layout, note }), close: () => session.dispose(), views: 0 };
}

function openDeck(model: WidgetModel): Shared {
  const table = new JobTable();
  const frame = model.get("_deck");
  if (isFrame(frame) && frame.type === "rows") table.seed(frame);
  const host = new CommHost(model, findServer(model, table.storeId), () => table.storeId);
  const unfollow = followDeck(host, table);
  const note = signal(mismatch(frame));
  return {
    mount: (element) => {
      element.classList.add("jobdeck-in-cell");
      return mountDeck(element, { host, table, note, state: keptState(), onState: keepState });
    },
    close: () => {
      unfollow();
      host.dispose();
    },
    views: 0,
  };
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
    if (!server || shared.has(model)) return;
    model.send(isDeck(model) ? { type: "deck", on: false } : { type: "subscribe", ids: [] });
  });
}

function render({ model, el }: RenderProps): () => void {
  const entry = shared.get(model) ?? (isDeck(model) ? openDeck : openCards)(model);
  shared.set(model, entry);
  entry.views += 1;
  const unmount = entry.mount(el);
  return () => {
    unmount();
    entry.views -= 1;
    if (entry.views > 0) return;
    shared.delete(model);
    entry.close();
  };
}

export default { initialize, render };
