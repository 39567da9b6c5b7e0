import type { VNode } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { completeQuery } from "../../model/query";
import { useElementId, usePlace } from "../env";
import { Vocabularies } from "./completion";
import { useDeck } from "./control";

/** Completions that are shown at once. */
const MOST = 8;

/** The query: free text and conditions, with completion; a fault is shown where it is. */
export function Search(): VNode {
  const { trans } = usePlace();
  const control = useDeck();
  const id = useElementId();
  const input = useRef<HTMLInputElement>(null);
  const text = control.query.value;
  const [cursor, setCursor] = useState<number | null>(null);
  const [chosen, choose] = useState(-1);
  const vocabularies = useMemo(() => new Vocabularies(control.table), [control.table]);
  const found = useMemo(
    () => (cursor === null ? null : completeQuery(text, Math.min(cursor, text.length), vocabularies.get())),
    [text, cursor, vocabularies],
  );
  const options = found?.options.slice(0, MOST) ?? [];
  const isOpen = options.length > 0;
  const close = (): void => {
    setCursor(null);
    choose(-1);
  };
  const take = (place: number): void => {
    const option = options[place];
    if (!found || !option) return;
    const next = text.slice(0, found.start) + option.text + text.slice(found.end);
    const at = found.start + option.text.length;
    control.setQuery(next);
    choose(-1);
    // What ends in a colon wants its value at once.
    setCursor(/[:<>=]$/.test(option.text) ? at : null);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(at, at);
    });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // A notebook has a meaning for keys of its own.
    event.stopPropagation();
    const { key } = event;
    if (key === "ArrowDown" && !isOpen) setCursor(input.current?.selectionStart ?? text.length);
    else if (key === "ArrowDown") choose((chosen + 1) % options.length);
    else if (key === "ArrowUp" && isOpen) choose((chosen <= 0 ? options.length : chosen) - 1);
    else if ((key === "Enter" || key === "Tab") && chosen >= 0) take(chosen);
    else if (key === "Tab") {
      close();
      return;
    } else if (key === "Enter") close();
    else if (key === "Escape" && isOpen) close();
    else if (key === "Escape" && text !== "") {
      control.setQuery("");
      // Where the text had no completion, the empty one would have them all.
      close();
    }
    else return;
    event.preventDefault();
  };
  const fault = control.fault.value;
  return (
    <div class="jobdeck-search">
      <input
        ref={input}
        type="text"
        class="jobdeck-input"
        role="combobox"
        aria-label={trans.__("Find jobs")}
        aria-autocomplete="list"
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-invalid={fault !== null}
        {...(fault ? { "aria-describedby": `${id}-fault` } : {})}
        {...(isOpen && chosen >= 0 ? { "aria-activedescendant": `${id}-${chosen}` } : {})}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        dir="auto"
        placeholder={trans.__("Find: tag:sweep energy<-1")}
        value={text}
        onInput={(event) => {
          const { value, selectionStart } = event.currentTarget;
          control.setQuery(value);
          setCursor(selectionStart);
          choose(-1);
        }}
        onKeyDown={onKeyDown}
        onBlur={close}
      />
      <ul class="jobdeck-options" id={`${id}-list`} role="listbox" aria-label={trans.__("Completions")} hidden={!isOpen}>
        {options.map((option, place) => (
          <li
            key={option.text}
            id={`${id}-${place}`}
            role="option"
            aria-selected={place === chosen}
            // Before the box loses the focus.
            onPointerDown={(event) => {
              event.preventDefault();
              take(place);
            }}
          >
            <bdi>{option.text}</bdi>
            <span class="jobdeck-quiet">{option.hint === "" ? null : trans.gettext(option.hint)}</span>
          </li>
        ))}
      </ul>
      {fault ? (
        <p class="jobdeck-fault" id={`${id}-fault`} role="alert">
          <code dir="ltr">
            {text.slice(Math.max(0, fault.start - 30), fault.start)}
            <u>{text.slice(fault.start, fault.end) || " "}</u>
            {text.slice(fault.end, fault.end + 30)}
          </code>{" "}
          <bdi>{fault.said(trans)}</bdi>
        </p>
      ) : null}
    </div>
  );
}
