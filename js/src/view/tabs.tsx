import type { ComponentChildren, VNode } from "preact";
import { useRef } from "preact/hooks";
import { useElementId, usePlace } from "./env";

export interface Tab {
  name: string;
  label: string;
  note?: string;
}

interface Props {
  tabs: readonly Tab[];
  chosen: string;
  onChoose: (name: string) => void;
  /** What the tabs are parts of; of a job where it is left out. */
  label?: string;
  children: ComponentChildren;
}

const STEPS: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowLeft: (at, count) => (at + count - 1) % count,
  Home: () => 0,
  End: (_at, count) => count - 1,
};

/** A row of tabs and the panel of the chosen one; arrow keys go from tab to tab. */
export function Tabs({ tabs, chosen, onChoose, label, children }: Props): VNode {
  const { trans } = usePlace();
  const id = useElementId();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    // A notebook has its own meaning for arrow keys.
    event.stopPropagation();
    const next = step(
      tabs.findIndex((tab) => tab.name === chosen),
      tabs.length,
    );
    const tab = tabs[next];
    if (tab) onChoose(tab.name);
    list.current?.querySelectorAll<HTMLElement>('[role="tab"]')[next]?.focus();
  };
  return (
    <>
      <div class="jobdeck-tabs" role="tablist" aria-label={label ?? trans.__("Parts of the job")} ref={list} onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <button
            key={tab.name}
            type="button"
            role="tab"
            class="jobdeck-tab"
            id={`${id}-${tab.name}`}
            aria-controls={`${id}-panel`}
            aria-selected={tab.name === chosen}
            tabIndex={tab.name === chosen ? 0 : -1}
            onClick={() => onChoose(tab.name)}
          >
            {tab.label}
            {tab.note ? <span class="jobdeck-quiet jobdeck-number"> {tab.note}</span> : null}
          </button>
        ))}
      </div>
      <div class="jobdeck-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen}`}>
        {children}
      </div>
    </>
  );
}
