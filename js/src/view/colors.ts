/** What variables of the theme come to below an element. A canvas understands plain colours alone. */
export function colorsOf<Name extends string>(root: HTMLElement, names: readonly Name[]): Record<Name, string> {
  const probe = document.createElement("i");
  root.append(probe);
  const entries = names.map((name) => {
    probe.style.color = `var(--jobdeck-${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(entries) as Record<Name, string>;
}
