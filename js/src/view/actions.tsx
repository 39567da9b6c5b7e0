import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { JobState } from "../model/deck";
import { isWhole, resultCode } from "../model/result";
import { deedFor } from "../model/status";
import type { CommandName } from "../model/wire";
import { copy } from "./clipboard";
import { useElementId, useEnv } from "./env";
import { useInfo } from "./seen";

/** A button that copies a text and says for a moment whether it worked. */
export function CopyButton({ label, text }: { label: string; text: () => string }): VNode {
  const { trans } = useEnv();
  const [said, say] = useMoment();
  return (
    <button
      type="button"
      class="jobdeck-button"
      aria-live="polite"
      onClick={() => void copy(text()).then((worked) => say(worked ? trans.__("Copied") : trans.__("Not copied")))}
    >
      {said ?? label}
    </button>
  );
}

/** A word that goes away by itself. */
function useMoment(): [string | null, (word: string) => void] {
  const [word, setWord] = useState<string | null>(null);
  useEffect(() => {
    if (word === null) return undefined;
    const timer = setTimeout(() => setWord(null), 1_500);
    return () => clearTimeout(timer);
  }, [word]);
  return [word, setWord];
}

/** What can be done to the job just now. `onRefused` hears why something could not be done. */
export function Actions({ job, isOpen, onRefused }: Props): VNode {
  const { session, trans } = useEnv();
  const [pending, setPending] = useState<CommandName | null>(null);
  const info = useInfo(job);
  const isAble = session.capabilities.value.commands && !job.isGone.value;
  const send = (command: CommandName): void => {
    setPending(command);
    onRefused(null);
    void session.command(job.id, command).then((refusal) => {
      setPending(null);
      onRefused(refusal);
    });
  };
  const id = useElementId();
  const offered = isAble ? deedFor(info) : null;
  const command = offered?.deed ?? null;
  const refusal = offered?.refusal ?? null;
  const why = refusal === null ? null : "note" in refusal ? refusal.note : trans.gettext(refusal.words);
  return (
    <span class="jobdeck-actions">
      {command ? (
        // One element whatever it does, so that it keeps the focus when Cancel becomes Kill now.
        <button
          type="button"
          class="jobdeck-button"
          data-command={command}
          disabled={pending === command}
          // It stays in the way of the keyboard, so that the reason is heard there, too.
          {...(why === null ? {} : { "aria-disabled": true, "aria-describedby": id, title: why })}
          onClick={(event) => {
            // The second half of a double click on Cancel is no wish to kill.
            if (event.detail <= 1 && why === null) send(command);
          }}
        >
          {command === "kill" ? (info.watched ? trans.__("Cancel again") : trans.__("Kill now")) : command === "cancel" ? trans.__("Cancel") : trans.__("Retry")}
        </button>
      ) : null}
      {why === null ? null : (
        <span class="jobdeck-aside" id={id}>
          {why}
        </span>
      )}
      {info.status === "DONE" && info.result !== null ? (
        <CopyButton label={isWhole(info) ? trans.__("Copy result") : trans.__("Copy preview")} text={() => info.result ?? ""} />
      ) : null}
      {isOpen ? <Menu job={job} /> : null}
    </span>
  );
}

interface Props {
  job: JobState;
  isOpen: boolean;
  onRefused: (reason: string | null) => void;
}

function Menu({ job }: { job: JobState }): VNode {
  const { trans } = useEnv();
  const id = useElementId();
  const root = useRef<HTMLSpanElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [said, say] = useMoment();
  const info = useInfo(job);
  const entries: [string, () => string][] = [
    [trans.__("Copy job id"), () => info.id],
    [trans.__("Copy code that finds it"), () => `jobdeck.job(${JSON.stringify(info.id)})`],
    [trans.__("Copy output"), () => job.output.lines((n) => trans.__("… {n} bytes are not shown …", { n })).text()],
  ];
  if (info.status === "DONE") entries.push([trans.__("Copy code that gets the result"), () => resultCode(info.id)]);
  if (info.error) entries.push([trans.__("Copy error"), () => info.error?.traceback ?? info.error?.text ?? ""]);
  const items = (): HTMLElement[] => [...(root.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])];
  useEffect(() => {
    if (!isOpen) return undefined;
    items()[0]?.focus();
    const closeOutside = (event: Event): void => {
      // The path, not the target: inside a shadow root the target is the host.
      if (root.current && !event.composedPath().includes(root.current)) setOpen(false);
    };
    document.addEventListener("pointerdown", closeOutside, true);
    return () => document.removeEventListener("pointerdown", closeOutside, true);
  }, [isOpen]);
  const close = (): void => {
    setOpen(false);
    root.current?.querySelector<HTMLElement>("button")?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isOpen) return;
    const all = items();
    const at = all.findIndex((item) => item === event.target);
    if (event.key === "Escape") close();
    else if (event.key === "Tab") setOpen(false);
    else if (event.key === "ArrowDown") all[(at + 1) % all.length]?.focus();
    else if (event.key === "ArrowUp") all[(at + all.length - 1) % all.length]?.focus();
    else if (event.key === "Home") all[0]?.focus();
    else if (event.key === "End") all.at(-1)?.focus();
    else return;
    event.stopPropagation();
    if (event.key !== "Tab") event.preventDefault();
  };
  return (
    <span class="jobdeck-menu" ref={root} onKeyDown={onKeyDown}>
      <button
        type="button"
        class="jobdeck-button"
        aria-label={trans.__("More")}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        ⋯
      </button>
      <span class="jobdeck-said" aria-live="polite">
        {said}
      </span>
      {isOpen ? (
        <span class="jobdeck-menu-items" role="menu" id={id}>
          {entries.map(([label, text]) => (
            <button
              key={label}
              type="button"
              role="menuitem"
              tabIndex={-1}
              onClick={() => {
                close();
                void copy(text()).then((worked) => say(worked ? trans.__("Copied") : trans.__("Not copied")));
              }}
            >
              {label}
            </button>
          ))}
        </span>
      ) : null}
    </span>
  );
}
