/** The anywidget module of a cell that shows the deck or a group, live over its widget's comm. Cards alone do without its size. */
import { signal } from "@preact/signals";
import { findServer, isFresh, moduleOf, type Shared } from "./cell";
import { CommHost, type WidgetModel } from "./host/comm";
import { followDeck } from "./host/follow";
import { firstFrame, firstGroupFrame } from "./model/first-frame";
import { JobTable } from "./model/table";
import { isFrame, isGroup, mismatch } from "./model/wire";
import { mountDeck } from "./view/deck";
import { keepState, keptState } from "./view/deck/kept";
import { mountGroup } from "./view/group";

function open(model: WidgetModel): Shared {
  const table = new JobTable();
  const frame = model.get("_deck");
  const group = model.get("_group");
  if (isFrame(frame) && frame.type === "rows") table.seed(frame, isFresh(frame));
  const host = new CommHost(model, findServer(model, table.storeId), () => table.storeId);
  const unfollow = followDeck(host, table);
  const note = signal(mismatch(frame));
  return {
    saved: () => {
      if (table.change < 0) return null;
      if (!isGroup(group)) return { deck: firstFrame(table) };
      return { deck: firstGroupFrame(table, group.id), group: table.groups.peek().get(group.id) ?? group };
    },
    mount: (element) => {
      if (isGroup(group)) return mountGroup(element, { host, table, group: group.id, isWhole: true, note });
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
