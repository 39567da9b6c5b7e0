import { signal, type ReadonlySignal } from "@preact/signals";
import { createContext } from "preact";
import { useContext, useId } from "preact/hooks";
import type { Session } from "../host/session";
import type { Translation } from "../model/translation";

/** What any view needs of the world around it. */
export interface Place {
  trans: Translation;
  /** Begins the ids of all elements under one root. */
  idPrefix: string;
  /** Changes once a second while somebody looks at it. */
  tick: ReadonlySignal<number>;
}

/** What the views of single jobs need beside that. */
export interface Env extends Place {
  session: Session;
}

/** A signal that counts seconds, with a timer only while it is watched. */
export function ticker(period = 1_000): ReadonlySignal<number> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const tick = signal(0, {
    watched() {
      timer = setInterval(() => (tick.value += 1), period);
    },
    unwatched() {
      clearInterval(timer);
    },
  });
  return tick;
}

/** What the ids under one root begin with. Random, since a page may hold roots of several copies of this module. */
export function rootId(): string {
  return `jobdeck-${Math.random().toString(36).slice(2, 10)}-`;
}

export const EnvContext = createContext<(Place & Partial<Env>) | null>(null);

export function usePlace(): Place & Partial<Env> {
  const place = useContext(EnvContext);
  if (!place) throw new Error("a jobdeck view was used outside of its root");
  return place;
}

export function useEnv(): Env {
  const place = usePlace();
  if (!hasSession(place)) throw new Error("a view of a job was used where there is no session");
  return place;
}

function hasSession(place: Place & Partial<Env>): place is Env {
  return place.session !== undefined;
}

/** An id for an element that is the only one of its name in the page; Preact's own are so under one root alone. */
export function useElementId(): string {
  return usePlace().idPrefix + useId();
}
