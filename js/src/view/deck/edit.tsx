import type { ComponentChildren, VNode } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { DeckRow } from "../../model/row";
import { tagsOf } from "../../model/tags";
import { useElementId, usePlace } from "../env";
import { Dialog } from "./dialog";

interface FormProps {
  title: string;
  action: string;
  /** Does it. Answers with a sentence that says why not; null closes the dialog. */
  onSubmit: () => Promise<string | null>;
  /** Why it cannot be done as it is. */
  problem: string | null;
  onClose: () => void;
  children: ComponentChildren;
}

/** A dialog whose fields are sent together; a refusal is shown beside them, and they stay as they are. */
function FormDialog({ title, action, onSubmit, problem, onClose, children }: FormProps): VNode {
  const { trans } = usePlace();
  const [isPending, setPending] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const isOpen = useRef(true);
  useLayoutEffect(() => {
    isOpen.current = true;
    return () => {
      isOpen.current = false;
    };
  }, []);
  const submit = async (): Promise<void> => {
    if (isPending || problem !== null) return;
    setPending(true);
    setRefusal(null);
    let answer: string | null;
    try {
      answer = await onSubmit();
    } catch (error) {
      answer = error instanceof Error ? error.message : String(error);
    }
    if (!isOpen.current) return;
    setPending(false);
    if (answer === null) onClose();
    else setRefusal(answer);
  };
  const said = refusal ?? problem;
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="jobdeck-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          void submit();
        }}
      >
        {children}
        <p class="jobdeck-form-refusal" role="alert">
          {said === null ? null : <bdi>{said.slice(0, 2_000)}</bdi>}
        </p>
        <div class="jobdeck-dialog-foot">
          <button type="button" class="jobdeck-button" onClick={onClose}>
            {trans.__("Back")}
          </button>
          <button type="submit" class="jobdeck-button jobdeck-primary" disabled={isPending || problem !== null}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Tell whether a preview leaves something of its value out: its end, items, or what is deep inside. */
function isCut(preview: string): boolean {
  return /…($|[\])}]| \d+ more)/.test(preview);
}

/** Tell whether a preview is no text that gives the value back, as of an array or an object. */
function isOpaque(preview: string): boolean {
  return /^<.*>$/s.test(preview);
}

interface InputsProps {
  row: Pick<DeckRow, "id" | "name" | "inputs">;
  /** Retries with the inputs that were changed: texts of Python literals or of JSON. Answers with a refusal or null. */
  onRetry: (inputs: Record<string, string>) => Promise<string | null>;
  onClose: () => void;
}

/** Retry a job with other inputs. */
export function EditInputs({ row, onRetry, onClose }: InputsProps): VNode {
  const { trans } = usePlace();
  // What the job was given does not change, whatever becomes of its row meanwhile.
  const [given] = useState(() => Object.entries(row.inputs));
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({});
  const changed = given.flatMap(([name, before]): [string, string][] => {
    const text = Object.hasOwn(texts, name) ? texts[name] : undefined;
    return text === undefined || text === before ? [] : [[name, text]];
  });
  const cut = new Set(given.filter(([, before]) => isCut(before)).map(([name]) => name));
  const unfinished = changed.find(([name, text]) => cut.has(name) && text.includes("…"))?.[0];
  const problem =
    unfinished === undefined ? null : trans.__("{name} still has the … of a text that was cut: type all of it.", { name: unfinished.slice(0, 100) });
  const submit = (): Promise<string | null> => onRetry(Object.fromEntries(changed));
  return (
    <FormDialog
      title={trans.__("Retry {name}", { name: row.name.slice(0, 200) })}
      action={changed.length === 0 ? trans.__("Retry as it was") : trans.__("Retry with changes")}
      onSubmit={submit}
      problem={problem}
      onClose={onClose}
    >
      <p class="jobdeck-dialog-text jobdeck-quiet">
        {given.length === 0
          ? trans.__("It was given no inputs.")
          : trans.__("Inputs are Python literals or JSON. Those that you leave as they are stay what they were.")}
      </p>
      {given.map(([name, before], i) => (
        <InputField
          key={name}
          name={name}
          before={before}
          text={(Object.hasOwn(texts, name) ? texts[name] : undefined) ?? before}
          isFirst={i === 0}
          onText={(text) => setTexts((all) => ({ ...all, [name]: text }))}
        />
      ))}
    </FormDialog>
  );
}

interface InputProps {
  name: string;
  before: string;
  text: string;
  isFirst: boolean;
  onText: (text: string) => void;
}

function InputField({ name, before, text, isFirst, onText }: InputProps): VNode {
  const { trans } = usePlace();
  const id = useElementId();
  const isChanged = text !== before;
  const note = isChanged
    ? null
    : isCut(before)
      ? trans.__("Only a part of it is shown. It is used whole unless you type another.")
      : isOpaque(before)
        ? trans.__("It cannot be shown as text. It is used as it is unless you type another.")
        : null;
  return (
    <div class="jobdeck-field">
      <label for={id}>
        <bdi>{name.slice(0, 200)}</bdi>
        {isChanged ? <span class="jobdeck-quiet"> · {trans.__("changed")}</span> : null}
      </label>
      <textarea
        id={id}
        class="jobdeck-text-box"
        dir="ltr"
        rows={Math.min(6, Math.max(text.split("\n").length, Math.ceil(text.length / 56)))}
        spellcheck={false}
        autocomplete="off"
        autofocus={isFirst}
        value={text}
        {...(note === null ? {} : { "aria-describedby": `${id}-note` })}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      {note === null ? null : (
        <p class="jobdeck-quiet jobdeck-field-note" id={`${id}-note`}>
          {note}
        </p>
      )}
    </div>
  );
}

/** Tags that are listed at once; the others are found by typing. */
const MOST_TAGS = 100;

interface TagsProps {
  rows: readonly Pick<DeckRow, "tags">[];
  /** Answers with a refusal or null. */
  onSave: (add: string[], remove: string[]) => Promise<string | null>;
  onClose: () => void;
}

/** Give jobs tags and take them away. A tag that only some of them have stays so until it is touched. */
export function EditTags({ rows, onSave, onClose }: TagsProps): VNode {
  const { trans } = usePlace();
  const id = useElementId();
  // The jobs go on while somebody thinks: what is sent are changes to what was seen.
  const [before] = useState(() => tagsOf(rows));
  const [all] = useState(rows.length);
  const [wishes, setWishes] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [text, setText] = useState("");
  const wanted = text.trim();
  const known = useMemo(() => new Set(before.map(({ tag }) => tag)), [before]);
  const added = [...wishes.keys()].filter((tag) => !known.has(tag)).map((tag) => ({ tag, count: 0 }));
  const found = [...added, ...before].filter(({ tag }) => tag.toLowerCase().includes(wanted.toLowerCase()));
  const wish = (tag: string, isOn: boolean | undefined): void => {
    const next = new Map(wishes);
    if (isOn === undefined) next.delete(tag);
    else next.set(tag, isOn);
    setWishes(next);
  };
  const add = (): void => {
    if (wanted === "") return;
    wish(wanted, true);
    setText("");
  };
  const save = (): Promise<string | null> => {
    const counts = new Map(before.map(({ tag, count }) => [tag, count]));
    const pending = wanted === "" || counts.has(wanted) ? [] : [wanted];
    const on = [...wishes].filter(([tag, isOn]) => isOn && counts.get(tag) !== all).map(([tag]) => tag);
    const off = [...wishes].filter(([tag, isOn]) => !isOn && counts.has(tag)).map(([tag]) => tag);
    return onSave([...new Set([...on, ...pending])], off);
  };
  return (
    <FormDialog
      title={all === 1 ? trans.__("Tags of 1 job") : trans.__("Tags of {n} jobs", { n: all.toLocaleString("en-US") })}
      action={trans.__("Save")}
      onSubmit={save}
      problem={null}
      onClose={onClose}
    >
      <div class="jobdeck-field">
        <label for={id}>{trans.__("Find or add a tag")}</label>
        <span class="jobdeck-field-line">
          <input
            id={id}
            class="jobdeck-text-box"
            type="text"
            autocomplete="off"
            autofocus
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.ctrlKey || event.metaKey || wanted === "" || event.isComposing) return;
              event.preventDefault();
              add();
            }}
          />
          <button type="button" class="jobdeck-button" disabled={wanted === ""} onClick={add}>
            {trans.__("Add")}
          </button>
        </span>
      </div>
      <div class="jobdeck-tag-list" role="group" aria-label={trans.__("Tags")}>
        {found.length === 0 ? <p class="jobdeck-empty">{wanted === "" ? trans.__("No tags yet.") : trans.__("No tag is like this.")}</p> : null}
        {found.slice(0, MOST_TAGS).map(({ tag, count }) => (
          <TagBox key={tag} tag={tag} count={count} all={all} wish={wishes.get(tag)} onWish={(isOn) => wish(tag, isOn)} />
        ))}
        {found.length > MOST_TAGS ? (
          <p class="jobdeck-empty">{trans.__("… {n} more: type to find them.", { n: (found.length - MOST_TAGS).toLocaleString("en-US") })}</p>
        ) : null}
      </div>
    </FormDialog>
  );
}

interface TagBoxProps {
  tag: string;
  count: number;
  all: number;
  wish: boolean | undefined;
  onWish: (isOn: boolean | undefined) => void;
}

/** A tag that all, some or none of the jobs have. One of some goes from as it is to all to none and back. */
function TagBox({ tag, count, all, wish, onWish }: TagBoxProps): VNode {
  const { trans } = usePlace();
  const box = useRef<HTMLInputElement>(null);
  const isSome = wish === undefined && count > 0 && count < all;
  const isOn = wish ?? count === all;
  useLayoutEffect(() => {
    if (box.current) box.current.indeterminate = isSome;
  }, [isSome]);
  const next = (): boolean | undefined => {
    if (count === 0 || count === all) return !isOn === (count === all) ? undefined : !isOn;
    return isSome ? true : isOn ? false : undefined;
  };
  return (
    <label class="jobdeck-tag-box">
      <input
        ref={box}
        type="checkbox"
        checked={isOn}
        onChange={() => onWish(next())}
      />
      <bdi>{tag.slice(0, 300)}</bdi>
      {isSome ? <span class="jobdeck-quiet jobdeck-number">{trans.__("{n} of {all}", { n: count, all })}</span> : null}
    </label>
  );
}
