/** Copy text. Returns whether it worked: a page without focus or outside of a secure context may refuse. */
export async function copy(text: string): Promise<boolean> {
  // The asynchronous clipboard exists in secure contexts alone; servers on plain HTTP are common.
  if (globalThis.isSecureContext && "clipboard" in navigator) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  try {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the one way that is left on plain HTTP
    return document.execCommand("copy");
  } finally {
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
  }
}
