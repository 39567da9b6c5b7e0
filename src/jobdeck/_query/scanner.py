"""Reads a query word by word."""

from __future__ import annotations

from typing import Final, NoReturn, cast

from .._errors import QueryError
from .._plain import plain
from .syntax import Operator, Term, Word

MOST_CHARACTERS: Final = 10_000
MOST_WORDS: Final = 500

# The same in both languages: what JavaScript calls white space.
SPACES: Final = frozenset("\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff") | frozenset(
    map(chr, range(0x2000, 0x200B))
)
QUOTES: Final = "\"'"
ENDS: Final = SPACES | frozenset("(),")
_NAME_ENDS: Final = ENDS | frozenset(":<>=")
_OPERATORS: Final = (":", "<", "<=", ">", ">=", "=", "!=")


def is_comparison(text: str, at: int) -> bool:
    """Tell whether a comparison begins at this place."""
    return text[at : at + 1] in tuple("<>=") or text[at : at + 2] == "!="


class Scanner:
    """A place in a query's text, which moves on as words are read. Everything raises QueryError."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._words = 0
        if len(text) > MOST_CHARACTERS:
            self.fail(f"a query has at most {MOST_CHARACTERS} characters", MOST_CHARACTERS, len(text))

    def fail(self, message: str, start: int, end: int) -> NoReturn:
        raise QueryError(message, self.text, start, end)

    def shown(self, start: int, end: int) -> str:
        """Return a part of the text as a message names it."""
        return f'"{plain(self.text[start:end], 40)}"'

    def peek(self) -> str:
        """Return the character at this place, empty at the end."""
        return self.text[self.at : self.at + 1]

    def skip_spaces(self) -> None:
        self.at = self._after_spaces(self.at)

    def keyword(self, *keywords: str) -> str | None:
        """Return which of these keywords stands here, without moving on."""
        end = self._name_end(self.at)
        word = self.text[self.at : end]
        is_alone = word in keywords and self.text[end : end + 1] not in tuple(",:<>=!")
        return word if is_alone else None

    def term(self) -> Term:
        """Read a term. At least one character that is no space and no parenthesis is there."""
        start = self.at
        name: Word | None
        if self.peek() in QUOTES:
            name = self._quoted()
        else:
            self.at = self._name_end(start)
            name = Word(self.text[start : self.at], False, start, self.at)
        comparison = self._after_spaces(self.at)
        if is_comparison(self.text, comparison):
            self.at = comparison
        elif self.peek() != ":" or name.is_quoted:
            return Term(None, ":", self._more_words(name))
        return self._comparison(name)

    def _comparison(self, name: Word) -> Term:
        start = self.at
        while self.peek() and self.peek() in ":<>=!":
            self.at += 1
        run = self.text[start : self.at]
        operator = run.removeprefix(":") or ":"
        if operator == "==":
            operator = "="
        if operator not in _OPERATORS or run == "::":
            there_are = " ".join(_OPERATORS)
            self.fail(f"there is no {self.shown(start, self.at)} in queries; there are {there_are}", start, self.at)
        if not name.text:
            self.fail(f"there is no name before {self.shown(start, self.at)}", start, self.at)
        if operator != ":":
            self.skip_spaces()
        first = self._word()
        if first is None:
            end = start + len(run)
            self.fail(f"{self.shown(name.start, end)} lacks what comes after it", name.start, end)
        return Term(name, cast(Operator, operator), self._more_words(first))

    def _more_words(self, first: Word) -> tuple[Word, ...]:
        """Read what follows a word after commas."""
        words = [first]
        self._count(first)
        while self.peek() == ",":
            comma = self.at
            if not words[-1].text:
                self.fail("something is missing before the comma", comma, comma + 1)
            self.at += 1
            word = self._word()
            if word is None:
                self.fail("something is missing after the comma", comma, comma + 1)
            self._count(word)
            words.append(word)
        return tuple(words)

    def _count(self, word: Word) -> None:
        self._words += 1
        if self._words > MOST_WORDS:
            self.fail(f"a query has at most {MOST_WORDS} words", word.start, word.end)

    def _word(self) -> Word | None:
        start = self.at
        if self.peek() and self.peek() in QUOTES:
            return self._quoted()
        while self.peek() and self.peek() not in ENDS:
            self.at += 1
        return Word(self.text[start : self.at], False, start, self.at) if self.at > start else None

    def _quoted(self) -> Word:
        start, quote = self.at, self.peek()
        parts: list[str] = []
        at = start + 1
        while (char := self.text[at : at + 1]) != quote:
            if not char:
                self.fail("this quote is never closed", start, start + 1)
            if char == "\\" and self.text[at + 1 : at + 2] in (quote, "\\"):
                at += 1
            parts.append(self.text[at])
            at += 1
        self.at = at + 1
        if not parts:
            self.fail("there is nothing between these quotes", start, self.at)
        end = self.at
        if self.peek() and self.peek() not in ENDS and not is_comparison(self.text, self.at):
            while self.peek() and self.peek() not in ENDS:
                self.at += 1
            self.fail("a space is missing after the quote", end, self.at)
        return Word("".join(parts), True, start, end)

    def _after_spaces(self, at: int) -> int:
        while at < len(self.text) and self.text[at] in SPACES:
            at += 1
        return at

    def _name_end(self, at: int) -> int:
        while at < len(self.text) and self.text[at] not in _NAME_ENDS and not is_comparison(self.text, at):
            at += 1
        return at
