/** The anywidget module of a cell that shows the deck, live over its widget's comm. Cards alone do without its size. */
import { signal } from "@preact/signals";
import { findServer, isFresh, moduleOf, type Shared } from "./cell";
import { CommHost, type WidgetModel } from "./host/comm";
import { followDeck } from "./host/follow";
import { JobTable } from "./model/table";
import { isFrame, mismatch } from "./model/wire";
import { mountDeck } from "./view/deck";
import { keepState, keptState } from "./view/deck/kept";

function open(model: WidgetModel): Shared {
  const table = new JobTable();
  const frame = model.get("_deck");
  if (isFrame(frame) && frame.type === "rows") table.seed(frame, isFresh(frame));
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
  };
}

export default moduleOf(open);
