import type { ComponentChildren, VNode } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useElementId, usePlace } from "../env";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  /** Id of the text that says what it is about; it is read out with the title. */
  describedBy?: string;
}

/**
 * A modal dialog: it has the focus and all keys until it is closed, and gives the focus back. An element inside that
 * has `autofocus` gets the focus first.
 */
export function Dialog({ title, onClose, children, describedBy }: DialogProps): VNode {
  const { trans } = usePlace();
  const id = useElementId();
  const root = useRef<HTMLDialogElement>(null);
  const isLeaving = useRef(false);
  useLayoutEffect(() => {
    const dialog = root.current;
    if (!dialog) return undefined;
    const before = (dialog.getRootNode() as Document | ShadowRoot).activeElement;
    isLeaving.current = false;
    dialog.showModal();
    return () => {
      isLeaving.current = true;
      dialog.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      class="jobdeck-dialog"
      ref={root}
      aria-labelledby={id}
      {...(describedBy === undefined ? {} : { "aria-describedby": describedBy })}
      data-lm-suppress-shortcuts="true"
      // A notebook has its own meaning for keys, and a menu of its own that would open behind this.
      onKeyDown={(event) => event.stopPropagation()}
      onContextMenu={(event) => event.stopPropagation()}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      // A browser may close it without asking (Escape a second time).
      onClose={() => {
        if (!isLeaving.current) onClose();
      }}
    >
      <div class="jobdeck-dialog-head">
        <h2 class="jobdeck-dialog-title" id={id}>
          <bdi>{title}</bdi>
        </h2>
        <button type="button" class="jobdeck-button" aria-label={trans.__("Close")} onClick={onClose}>
          ✕
        </button>
      </div>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  text: string;
  /** What the button says that does it. */
  action: string;
  /** It cannot be undone: the focus is on the way back. */
  danger?: boolean;
  /** Called once, before `onClose`. */
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something is done. */
export function Confirm({ title, text, action, danger = false, onConfirm, onClose }: ConfirmProps): VNode {
  const { trans } = usePlace();
  const id = useElementId();
  return (
    <Dialog title={title} onClose={onClose} describedBy={id}>
      <p class="jobdeck-dialog-text" id={id}>
        <bdi>{text}</bdi>
      </p>
      <div class="jobdeck-dialog-foot">
        <button type="button" class="jobdeck-button" autofocus={danger} onClick={onClose}>
          {trans.__("Back")}
        </button>
        <button
          type="button"
          class={`jobdeck-button ${danger ? "jobdeck-danger" : "jobdeck-primary"}`}
          autofocus={!danger}
          onClick={() => {
            onConfirm();
            onClose();
          }}
        >
          {action}
        </button>
      </div>
    </Dialog>
  );
}
