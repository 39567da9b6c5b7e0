"""What one process asks of one instance of IBM's service: little, and for all of its jobs at once.

The list of jobs tells their statuses, up to 200 of them in a request. A job is asked for alone where that is less. All
of it is paid from one purse that gets one request a second; what is left over goes into places in the queue.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..._status import JobStatus, is_final
from .service_client import impatient, retry_after, status_of_answer
from .service_words import Said, reason_in, status_in

_log = logging.getLogger(__name__)

PAGE: Final = 200
"""Jobs in an answer; the service refuses to tell of more."""
_SHORT_PAGE: Final = 20
RATE: Final = 1.0
"""Requests a second, in the long run."""
BURST: Final = 5.0
_SPARE: Final = 3.0
"""What has to be left for requests that can wait; now and then they get what there is."""
_NOW_AND_THEN: Final = 5.0
_FRESH: Final = 0.9
"""Seconds for which what was said is not asked again."""
_FIRST_FRESH: Final = 10.0
"""The same for jobs of which it was said by the way, before anybody looked at them."""
_FORGET: Final = 60.0
_DETAILS: Final = 20.0
"""Seconds between looks at the place of one job in the queue."""
_MOST_EMPTY: Final = 3
_SILENCE: Final = 10.0
"""Seconds without requests after one too many, where the service does not say how long."""
GONE_AFTER: Final = 60.0
"""Seconds for which a job has to be unknown to the service: one that was just submitted may be for a moment."""
NOT_KNOWN: Final = "IBM's service does not know this job: it was deleted there, or it is one of another instance"


class Purse:
    """So many requests a second, and a few saved up."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tokens = BURST
        self._counted = clock()

    @property
    def tokens(self) -> float:
        """How many requests can be paid for now."""
        now = self._clock()
        self._tokens = min(self._tokens + (now - self._counted) * RATE, BURST)
        self._counted = now
        return self._tokens

    def pay(self) -> None:
        """Pay for a request, on credit where it cannot wait."""
        self._tokens = max(self.tokens - 1.0, -BURST)


@dataclass
class Known:
    """What the service said of one job.

    Attributes
    ----------
    place : int
        How many newer jobs there were in the list.
    metrics
        Its metrics when they were asked for last.
    traceback : str or None
        What it left in the place of a result, where it failed and gave no reason.
    is_looked_at : bool
        Somebody was told of it.
    """

    said: Said
    when: float
    place: int
    metrics: Said = field(default_factory=dict)
    traceback: str | None = None
    is_looked_at: bool = False


class Line:
    """One process's connection to one instance. From any thread; one request at a time.

    Parameters
    ----------
    service, client
        The client library's; of the client a copy is used, which is made when it is needed first.
    clock
        Seconds that only grow.
    pause
        Waits so many seconds.
    """

    def __init__(
        self,
        service: Any,
        client: Any,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.service = service
        self._given = client
        self._client: Any = None
        self._clock = clock
        self._pause = pause
        self._lock = threading.Lock()
        self._purse = Purse(clock)
        self._known: dict[str, Known] = {}
        self._followed: Counter[str] = Counter()
        self._missing: dict[str, float] = {}
        self._detailed: dict[str, float] = {}
        self._next_detail = 0.0
        self._empty = 0
        self._page = PAGE
        self._refused: tuple[float, Exception] | None = None

    def renew(self, service: Any, client: Any) -> None:
        """Use another client from now on: that of a job which came later, perhaps with a newer token."""
        if client is not self._given:
            self.service, self._given, self._client, self._refused = service, client, None, None

    @property
    def client(self) -> Any:
        """The client to use, from any thread."""
        client, given = self._client, self._given
        if client is None:
            client = impatient(given)
            if given is self._given:
                self._client = client
        return client

    def follow(self, job_id: str) -> None:
        """Count a job among those that are looked after."""
        with self._lock:
            self._followed[job_id] += 1

    def leave(self, job_id: str) -> None:
        """The counterpart of `follow`."""
        with self._lock:
            self._followed[job_id] -= 1
            if self._followed[job_id] <= 0:
                del self._followed[job_id]
                self._missing.pop(job_id, None)
                self._detailed.pop(job_id, None)

    def look(self, job_ids: Collection[str]) -> Mapping[str, Known | Exception]:
        """Return what the service says of these jobs, asked now or less than a second ago.

        It may be older where the purse is empty. A job of which nothing is known yet is waited for.
        """
        with self._lock:
            now = self._clock()
            self._known = {
                job_id: known
                for job_id, known in self._known.items()
                if job_id in self._followed or now - known.when < _FORGET
            }
            if self._refused is not None and now < self._refused[0]:
                return dict.fromkeys(job_ids, self._refused[1])
            troubles: dict[str, Exception] = {}
            try:
                self._refresh(job_ids, troubles, now)
                self._add_tracebacks(job_ids, troubles)
            except Exception as error:  # noqa: BLE001 - it is what the looks at these jobs bring
                self._note(error)
                for job_id in job_ids:
                    if not self._is_fresh(job_id, now):
                        troubles.setdefault(job_id, error)
            else:
                self._add_metrics(job_ids)
            for job_id in job_ids:
                if job_id not in troubles:
                    self._known[job_id].is_looked_at = True
            return {job_id: troubles.get(job_id) or self._known[job_id] for job_id in job_ids}

    # --- what to ask

    def _refresh(self, job_ids: Collection[str], troubles: dict[str, Exception], now: float) -> None:
        offset: int = 0
        total: int | None = None
        while needed := [each for each in job_ids if not self._is_fresh(each, now) and each not in troubles]:
            if not self._can_pay_for(needed):
                return
            if self._is_less_alone(needed, offset, total):
                self._ask_alone(needed[0], total or 0, troubles)
            else:
                offset, total = self._ask_page(needed, offset)

    def _is_fresh(self, job_id: str, now: float) -> bool:
        """Tell whether this need not be asked; `now` is when the look began, for an answer may be long in coming."""
        known = self._known.get(job_id)
        if known is None:
            return False
        age = now - known.when
        return is_final(status_in(known.said)) or age <= (_FRESH if known.is_looked_at else _FIRST_FRESH)

    def _can_pay_for(self, needed: Collection[str]) -> bool:
        while (tokens := self._purse.tokens) < 1.0:
            if all(each in self._known for each in needed):
                return False
            self._pause((1.0 - tokens) / RATE)
        return True

    def _is_less_alone(self, needed: Collection[str], offset: int, total: int | None) -> bool:
        if self._page == 0:
            return True
        if total is not None:
            return offset >= total or len(needed) <= -(-(total - offset) // self._page)
        places = [self._known[each].place for each in needed if each in self._known]
        # A job that is not known is most likely one of the newest, and others with it.
        return len(places) == len(needed) <= 1 + max(places) // self._page

    def _ask_page(self, needed: Collection[str], offset: int) -> tuple[int, int | None]:
        places = [self._known[each].place for each in needed if each in self._known]
        if len(places) < len(needed):
            limit = _SHORT_PAGE if max(len(needed), len(self._followed)) < _SHORT_PAGE else self._page
        else:
            limit = max(_SHORT_PAGE, min(self._page, max(places) + 1 + _SHORT_PAGE - offset))
        self._purse.pay()
        try:
            answer = self.client.jobs_get(limit=limit, skip=offset)
            page = [(said["id"], said) for said in answer["jobs"]]
        except Exception as error:
            if not isinstance(error, (KeyError, TypeError)) and status_of_answer(error) != 400:
                raise
            # A service that lists jobs in another way than this one: shorter pages, then each job alone.
            self._page = _SHORT_PAGE if self._page > _SHORT_PAGE else 0
            return offset, None
        for place, (job_id, said) in enumerate(page, offset):
            if "state" in said or "status" in said:
                self._take(job_id, said, place)
        offset += len(page)
        return offset, int(answer.get("count", offset)) if page else offset

    def _ask_alone(self, job_id: str, at_least: int, troubles: dict[str, Exception]) -> None:
        self._purse.pay()
        known = self._known.get(job_id)
        try:
            said = self.client.job_get(job_id)
        except Exception as error:
            if status_of_answer(error) != 404:
                raise
            missing = self._clock() - self._missing.setdefault(job_id, self._clock())
            if missing < GONE_AFTER:
                troubles[job_id] = LookupError(NOT_KNOWN)
                return
            said = {"id": job_id, "state": {"status": "Failed", "reason": NOT_KNOWN}}
        else:
            self._missing.pop(job_id, None)
        self._take(job_id, said, at_least if known is None else max(known.place, at_least))

    def _take(self, job_id: str, said: Said, place: int) -> None:
        known = self._known.get(job_id)
        if known is None:
            self._known[job_id] = Known(said, self._clock(), place)
        elif not is_final(status_in(known.said)):
            # The list may lag behind, and what has ended has ended.
            known.said, known.when, known.place = said, self._clock(), place
            if is_final(status_in(said)):
                known.metrics = {}

    # --- what there is to know beside the status

    def _add_tracebacks(self, job_ids: Collection[str], troubles: dict[str, Exception]) -> None:
        for job_id in job_ids:
            known = self._known.get(job_id)
            if known is None or job_id in troubles or known.traceback is not None:
                continue
            if status_in(known.said) == JobStatus.ERROR and reason_in(known.said) is None:
                self._purse.pay()
                try:
                    known.traceback = self.client.job_results(job_id) or ""
                except Exception as error:  # noqa: BLE001 - as for a status: the next look tries again
                    if status_of_answer(error) == 404:
                        known.traceback = ""
                        continue
                    self._note(error)
                    troubles[job_id] = error

    def _add_metrics(self, job_ids: Collection[str]) -> None:
        ended = [each for each in job_ids if self._wants_usage(each)]
        waiting = sorted(
            (each for each in self._followed if self._wants_place(each)), key=lambda each: self._detailed.get(each, 0.0)
        )
        for job_id in [*ended, *waiting[:1]]:
            now = self._clock()
            if self._purse.tokens < (1.0 if now >= self._next_detail else _SPARE):
                return
            self._purse.pay()
            self._next_detail = now + _NOW_AND_THEN
            self._detailed[job_id] = now
            known = self._known[job_id]
            try:
                known.metrics = self.client.job_metadata(job_id) or {}
            except Exception as error:  # noqa: BLE001 - it can wait, and the statuses are known
                self._note(error)
                _log.debug("the metrics of job %s cannot be had", job_id, exc_info=True)
                return
            if status_in(known.said) == JobStatus.QUEUED:
                tells = {"position_in_queue", "estimated_start_time"} & known.metrics.keys()
                self._empty = 0 if tells else self._empty + 1

    def _wants_usage(self, job_id: str) -> bool:
        known = self._known.get(job_id)
        return known is not None and is_final(status_in(known.said)) and not known.metrics

    def _wants_place(self, job_id: str) -> bool:
        # Many instances tell nobody's place.
        known = self._known.get(job_id)
        if known is None or status_in(known.said) != JobStatus.QUEUED or self._empty >= _MOST_EMPTY:
            return False
        return job_id not in self._detailed or self._clock() - self._detailed[job_id] >= _DETAILS

    def _note(self, error: Exception) -> None:
        """Keep silent for as long as the service asks for."""
        if status_of_answer(error) == 429:
            self._refused = self._clock() + (retry_after(error) or _SILENCE), error
