/** What the anywidget modules of a cell have in common. */
import type { WidgetModel } from "./host/comm";
import { Rest } from "./host/http";
import { LAB_MARK, readPage } from "./host/page";
import { probe } from "./host/probe";
import { answerSaves, type Saved } from "./host/saving";
import { isFrame, type FromBrowser, type RowsFrame, type Snapshot } from "./model/wire";

export interface RenderProps {
  model: WidgetModel;
  el: HTMLElement;
}

/** A page does without the kernel's frames. Nobody loses them by it who has asked for them, such as another front end. */
const REST: FromBrowser = { type: "subscribe", ids: [] };

/** What the views of one model share, so that its kernel is asked once. */
export interface Shared {
  mount: (element: HTMLElement) => () => void;
  /** What a notebook is to save of it by now; null before the kernel has said anything. */
  saved: () => Saved | null;
  close: () => void;
}

/** An anywidget module. */
export interface Module {
  initialize: (props: Pick<RenderProps, "model">) => void;
  render: (props: RenderProps) => () => void;
}

/** The page's server, if it has jobdeck on this store: a command goes through it even while the kernel is busy. */
export async function findServer(model: WidgetModel, storeId: string): Promise<Rest | null> {
  const page = model.get("_http") === false ? null : readPage(document);
  if (!page) return null;
  const rest = new Rest(page);
  try {
    const info = await probe(rest);
    return info?.store_id === storeId ? rest : null;
  } catch {
    // The page's server is away, of another version, or the page may not speak to it: the comm is there.
    return null;
  }
}

/** What tells models apart: anywidget hands each view another proxy of its model, but the same values behind them. */
function identityOf(model: WidgetModel): object {
  const snapshot = model.get("_snapshot");
  return typeof snapshot === "object" && snapshot !== null ? snapshot : model;
}

/** Whether a frame was read for this page, a moment ago, or comes from a saved notebook. */
export function isFresh(frame: Snapshot | RowsFrame): boolean {
  return Math.abs(Date.now() / 1000 - frame.now) < 30;
}

/**
 * A module whose views of one model share what `open` makes.
 *
 * JupyterLab with our extension shows its outputs by itself, fed by the server: then the kernel need not feed the model,
 * too, and is told to rest. A view that is made all the same asks for its feed, and so does one in another front end.
 */
export function moduleOf(open: (model: WidgetModel) => Shared): Module {
  const shared = new WeakMap<object, Shared & { views: number }>();
  return {
    initialize({ model }) {
      if (!document.documentElement.hasAttribute(LAB_MARK)) return;
      const snapshot = model.get("_snapshot");
      if (!isFrame(snapshot) || snapshot.type !== "snapshot") return;
      void findServer(model, snapshot.store_id).then((server) => {
        if (server && !shared.has(identityOf(model))) model.send(REST);
      });
    },
    render({ model, el }) {
      const identity = identityOf(model);
      const entry = shared.get(identity) ?? { ...open(model), views: 0 };
      shared.set(identity, entry);
      entry.views += 1;
      const unmount = entry.mount(el);
      const unanswer = answerSaves(el, entry.saved);
      return () => {
        unanswer();
        unmount();
        entry.views -= 1;
        if (entry.views > 0) return;
        shared.delete(identity);
        entry.close();
      };
    },
  };
}
