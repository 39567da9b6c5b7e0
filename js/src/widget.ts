/** The anywidget module of a cell's cards, live over their widget's comm. */
import { signal } from "@preact/signals";
import { findServer, isFresh, moduleOf, type Shared } from "./cell";
import { CommHost, type WidgetModel } from "./host/comm";
import { TAIL_LOG, TAIL_MESSAGES, type Saved } from "./host/saving";
import { Session } from "./host/session";
import { Deck } from "./model/deck";
import { isFrame, mismatch, type Layout } from "./model/wire";
import { mount } from "./view/root";

function open(model: WidgetModel): Shared {
  const deck = new Deck();
  const snapshot = model.get("_snapshot");
  if (isFrame(snapshot) && snapshot.type === "snapshot") deck.seed(snapshot, isFresh(snapshot));
  const session = new Session(deck, new CommHost(model, findServer(model, deck.storeId), () => deck.storeId));
  const layout: Layout = model.get("_layout") === "list" ? "list" : "card";
  const note = signal(mismatch(snapshot));
  const saved = (): Saved | null => {
    if (deck.applied.peek() < 0) return null;
    const newest = deck.snapshot(TAIL_MESSAGES, TAIL_LOG);
    return { ids: newest.jobs.map((job) => job.id), snapshot: newest };
  };
  return { saved, mount: (element) => mount(element, { session, layout, note }), close: () => session.dispose() };
}

export default moduleOf(open);
