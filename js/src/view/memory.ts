/** What a person chose for one job's card; it outlives the card, which a notebook may paint anew at any time. */
export interface Choice {
  isOpen?: boolean;
  tab?: string;
}

const MOST = 1_000;
const choices = new Map<string, Choice>();

export function recall(id: string): Choice {
  return choices.get(id) ?? {};
}

export function remember(id: string, choice: Choice): void {
  const merged = { ...choices.get(id), ...choice };
  choices.delete(id);
  choices.set(id, merged);
  const oldest = choices.keys().next();
  if (choices.size > MOST && !oldest.done) choices.delete(oldest.value);
}

export function forgetAll(): void {
  choices.clear();
}
