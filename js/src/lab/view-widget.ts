import type { Message } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";

/** A widget that shows one of our views: while it can be seen, or from when it was first seen until it is closed. */
export abstract class ViewWidget extends Widget {
  private unmount: (() => void) | null = null;

  /** @param stays - Whether the view stays while the widget is behind another. */
  constructor(private readonly stays: boolean) {
    super();
    this.addClass("jobdeck-view");
    this.node.tabIndex = -1;
  }

  override dispose(): void {
    this.leave();
    super.dispose();
  }

  /** Paint into the widget's node. Returns what takes the view out again. */
  protected abstract mount(): () => void;

  /** Paint anew what was painted. */
  protected remount(): void {
    if (!this.unmount) return;
    this.leave();
    this.enter();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) this.enter();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.enter();
  }

  protected override onBeforeHide(message: Message): void {
    if (!this.stays) this.leave();
    super.onBeforeHide(message);
  }

  protected override onBeforeDetach(message: Message): void {
    if (!this.stays) this.leave();
    super.onBeforeDetach(message);
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    const table = this.node.querySelector<HTMLElement>("[role='grid']");
    (table ?? this.node).focus();
  }

  private enter(): void {
    this.unmount ??= this.mount();
  }

  private leave(): void {
    this.unmount?.();
    this.unmount = null;
  }
}
