import { displayText, isPicture } from "../model/body";
import type { MessageRow } from "../model/wire";

/** Characters of a message in its row. */
const LONGEST = 500;

const texts = new WeakMap<MessageRow, string>();

/** A message as one line of text. */
export function rowText(row: MessageRow): string {
  let text = texts.get(row);
  if (text === undefined) {
    const isCutPicture = row[3] !== undefined && isPicture(row[2]);
    const shown = isCutPicture ? "<image>" : displayText(row[2]).slice(0, LONGEST);
    text = (isCutPicture || row[3] === undefined ? shown : `${shown}…`).replaceAll(/\s*\n\s*/g, " ⏎ ");
    texts.set(row, text);
  }
  return text;
}
