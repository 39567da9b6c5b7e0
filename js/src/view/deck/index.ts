export { mountDeck, type DeckProps } from "./mount";
export { defaultState, readState, type DeckState } from "./state";
