"""From a tree of terms to a test of jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from .._errors import QueryError
from .._plain import plain
from .checks import (
    COMPARED,
    MEASURES,
    TEXTS,
    Check,
    Measure,
    abbreviation,
    all_hold,
    any_holds,
    has_status,
    opposite,
    time_check,
)
from .fields import FIELDS, INPUT, STATUS_WORDS, VALUE, Field, nearest, nearest_status
from .patterns import LONGEST_PATTERN, TextTest, any_of, is_pattern, part, whole
from .quantities import FORMS, Age, Moment, Span, moment_of, number_of, written_number
from .subject import Subject, unquoted
from .syntax import AllOf, Node, Not, Term, Word

SHORTEST_ID: Final = 4
"""Characters from which on a word is looked for in ids, too: ids are random, and shorter ones are in many."""


@dataclass(frozen=True)
class Condition:
    """A check of jobs; whether it may ask for facts beyond the record, and whether time changes its answer."""

    check: Check
    asks_facts: bool = False
    is_timely: bool = False


def condition_of(node: Node, text: str) -> Condition:
    """Return the condition that a tree is. QueryError where a term means nothing; `text` is the query."""
    if isinstance(node, Term):
        return _Reader(text, node).condition()
    if isinstance(node, Not):
        inner = condition_of(node.part, text)
        return Condition(opposite(inner.check), inner.asks_facts, inner.is_timely)
    parts = [condition_of(inner, text) for inner in node.parts]
    # What the record tells is looked at first; facts cost a look into the store.
    checks = [one.check for one in sorted(parts, key=lambda one: one.asks_facts)]
    joined = all_hold(checks) if isinstance(node, AllOf) else any_holds(checks)
    return Condition(joined, any(one.asks_facts for one in parts), any(one.is_timely for one in parts))


class _Reader:
    """Reads one term, and says what is wrong with it."""

    def __init__(self, text: str, term: Term) -> None:
        self._text = text
        self._term = term
        self._sign = term.operator
        self._words = term.words

    def condition(self) -> Condition:
        for word in self._words:
            if is_pattern(word) and len(word.text) > LONGEST_PATTERN:
                self._fail(f"a pattern has at most {LONGEST_PATTERN} characters", word)
        name = self._term.name
        if name is None:
            return self._free()
        if name.is_quoted:
            return self._value(name.text)
        lower = name.text.lower()
        if lower in FIELDS:
            return self._field(FIELDS[lower])
        for prefix, read in ((INPUT, self._input), (VALUE, self._value)):
            if lower == prefix:
                self._fail(f'there is no name after "{prefix}"', name)
            if lower.startswith(prefix):
                return read(name.text[len(prefix) :])
        if self._sign == ":" or (nearest(lower) and number_of(self._words[0].text) is None):
            self._fail(_no_field(name.text), name)
        return self._value(name.text)

    def _field(self, field: Field) -> Condition:
        match field.kind:
            case "number":
                return self._number(MEASURES[field.name], "percent" if field.name == "progress" else "number")
            case "duration" | "size":
                return self._amount(MEASURES[field.name], field.kind, is_timely=field.name == "took")
            case "time":
                return self._time(MEASURES[field.name])
        self._refuse_order()
        match field.kind:
            case "status":
                self._refuse_slips()
                return self._maybe_not(has_status(self._words))
            case "error":
                return self._maybe_not(self._error())
            case "input":
                fits = self._parts()
                return self._maybe_not(
                    lambda job: any(fits(text.lower()) for text in job.record.inputs_preview.values())
                )
        return self._texts(field)

    # --- texts

    def _free(self) -> Condition:
        statuses = [word for word in self._words if not word.is_quoted and word.text.lower() in STATUS_WORDS]
        others = [word for word in self._words if word not in statuses]
        if not others:
            return Condition(has_status(statuses))
        fits = any_of([part(word) for word in others])
        fit_ids = [part(word) for word in others if is_pattern(word) or len(word.text) >= SHORTEST_ID]

        def found(job: Subject) -> bool:
            return (
                fits(job.name)
                or any(map(fits, job.tags))
                or any(fits_id(job.record.job_id.lower()) for fits_id in fit_ids)
                or fits(job.latest)
            )

        checks = [has_status(statuses), found] if statuses else [found]
        return Condition(any_holds(checks), asks_facts=True)

    def _texts(self, field: Field) -> Condition:
        if field.kind == "id" and self._sign == ":":
            fits = any_of([abbreviation(word) for word in self._words])
        else:
            fits = self._parts() if field.kind == "text" else any_of([whole(word) for word in self._words])
        if field.name == "name":
            return self._maybe_not(lambda job: fits(job.name))
        if field.name == "tag":
            return self._maybe_not(lambda job: any(map(fits, job.tags)))
        text_of = TEXTS[field.name]

        def check(job: Subject) -> bool:
            text = text_of(job)
            return text is not None and fits(text.lower())

        return self._maybe_not(check, asks_facts=field.name == "latest")

    def _error(self) -> Check:
        is_kind = any_of([whole(word) for word in self._words])
        fits = self._parts()

        def check(job: Subject) -> bool:
            kind = job.error_kind
            return kind is not None and (is_kind(kind) or fits((job.record.error or "").lower()))

        return check

    def _input(self, name: str) -> Condition:
        if self._sign in COMPARED:
            return self._number(lambda job: _number_in(job.input(name)), "number")
        fits = any_of([whole(word) for word in self._words])
        numbers = {number for word in self._words if (number := number_of(word.text)) is not None}

        def check(job: Subject) -> bool:
            text = job.input(name)
            return text is not None and (fits(unquoted(text).lower()) or _number_in(text) in numbers)

        return self._maybe_not(check)

    def _parts(self) -> TextTest:
        """Return a test for parts of a text, or with ``=`` for all of it."""
        return any_of([(part if self._sign == ":" else whole)(word) for word in self._words])

    def _maybe_not(self, check: Check, *, asks_facts: bool = False) -> Condition:
        return Condition(opposite(check) if self._sign == "!=" else check, asks_facts)

    # --- quantities

    def _value(self, name: str) -> Condition:
        return Condition(self._number(lambda job: job.value(name), "number").check, asks_facts=True)

    def _number(self, measure: Measure, form: str) -> Condition:
        if self._asks_presence():
            return Condition(lambda job: measure(job) is not None)
        numbers = [self._amount_of(word, form) for word in self._words]
        if self._sign in COMPARED:
            return Condition(self._compared(measure, numbers))
        # A bar shows whole percents.
        width = 0.5 if form == "percent" else 0.0
        is_wanted = self._sign != "!="

        def check(job: Subject) -> bool:
            found = measure(job)
            return found is not None and any(abs(found - number) <= width for number in numbers) == is_wanted

        return Condition(check)

    def _amount(self, measure: Measure, form: str, *, is_timely: bool) -> Condition:
        if self._asks_presence():
            return Condition(lambda job: measure(job) is not None)
        numbers = [self._amount_of(word, form) for word in self._words]
        if self._sign not in COMPARED:
            self._ask_for_order()
        return Condition(self._compared(measure, numbers), is_timely=is_timely)

    def _compared(self, measure: Measure, numbers: list[float]) -> Check:
        self._refuse_more()
        compare, number = COMPARED[self._sign], numbers[0]

        def check(job: Subject) -> bool:
            found = measure(job)
            return found is not None and compare(found, number)

        return check

    def _time(self, measure: Measure) -> Condition:
        if self._asks_presence():
            return Condition(lambda job: measure(job) is not None)
        moments = [self._moment_of(word) for word in self._words]
        if self._sign in ("=", "!=") and any(isinstance(moment, Age) for moment in moments):
            self._ask_for_order()
        if self._sign in COMPARED:
            self._refuse_more()
        checks = [time_check(moment, self._sign) for moment in moments]
        is_wanted = self._sign != "!="

        def check(job: Subject) -> bool:
            found = measure(job)
            return found is not None and any(each(found, job.now) for each in checks) == is_wanted

        return Condition(check, is_timely=any(not isinstance(moment, Span) for moment in moments))

    def _asks_presence(self) -> bool:
        """Tell whether the term is like ``started:*``: it has such a time at all."""
        return self._sign in (":", "=") and [word.text for word in self._words] == ["*"]

    def _amount_of(self, word: Word, form: str) -> float:
        read, words = FORMS[form]
        number = read(word.text)
        if number is None:
            self._fail(f"{_quoted(word)} is not {words}", word)
        return number

    def _moment_of(self, word: Word) -> Moment:
        moment = moment_of(word.text)
        if moment is None:
            there_are = "ages such as 1h or 2d, dates such as 2025-11-20, today and yesterday"
            self._fail(f"{_quoted(word)} is no time; there are {there_are}", word)
        return moment

    # --- what is wrong

    def _refuse_order(self) -> None:
        if self._sign in COMPARED:
            name, value = self._shown()
            self._fail_whole(f"{name} is not compared with {self._sign}; there is {name}:{value}")

    def _refuse_slips(self) -> None:
        for word in self._words:
            if not word.is_quoted and not is_pattern(word) and (guess := nearest_status(word.text)):
                self._fail(f"there is no status {_quoted(word)}; did you mean {guess}?", word)

    def _ask_for_order(self) -> NoReturn:
        name, value = self._shown()
        self._fail_whole(f"say how to compare: {name}:<{value} or {name}:>{value}")

    def _refuse_more(self) -> None:
        if len(self._words) > 1:
            self._fail(f"{self._sign} compares with one value", self._words[1])

    def _shown(self) -> tuple[str, str]:
        name = "" if self._term.name is None else self._term.name.text
        return plain(name, 40), plain(self._words[0].text, 40)

    def _fail_whole(self, message: str) -> NoReturn:
        first = self._term.name or self._words[0]
        raise QueryError(message, self._text, first.start, self._words[-1].end)

    def _fail(self, message: str, word: Word) -> NoReturn:
        raise QueryError(message, self._text, word.start, word.end)


def _quoted(word: Word) -> str:
    return f'"{plain(word.text, 40)}"'


def _no_field(name: str) -> str:
    guess = nearest(name)
    advice = f"did you mean {guess}?" if guess else f"there are {', '.join(FIELDS)}"
    return f'there is no field "{plain(name, 40)}"; {advice}'


def _number_in(text: str | None) -> float | None:
    return None if text is None else written_number(text)
