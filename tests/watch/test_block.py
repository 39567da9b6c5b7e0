"""What a block creates is in the deck, and nothing is left of it afterwards."""

from __future__ import annotations

import asyncio
import sys
import threading
import types
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import pytest

import jobdeck
from jobdeck import Deck, _presenting


class Own(Executor):
    """An executor of somebody's own, which runs what it is given at once."""

    def submit(self, fn, /, *args, **kwargs):
        future: Future[object] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_futures_that_a_block_submits_are_shown_and_those_before_and_after_are_not(deck: Deck):
    before = ThreadPoolExecutor.submit
    with ThreadPoolExecutor(2) as executor:
        executor.submit(int)
        with deck.watching(tags=["block"]) as block:
            mapped = list(executor.map(abs, [-1, -2, -3]))
            Own().submit(len, "four")
        executor.submit(int)
        assert [job.result(timeout=10) for job in block.jobs()] == [*mapped, 4]
    assert [job.name for job in block.jobs()] == ["abs", "abs", "abs", "len"]
    assert len(deck.jobs()) == len(deck.jobs(tags=["block"])) == 4
    assert ThreadPoolExecutor.submit is before


@pytest.mark.parametrize("name", [None, "my block"])
def test_a_block_shows_what_it_has_created(deck: Deck, capsys, monkeypatch, name: str | None):
    monkeypatch.setattr(_presenting, "_factory", None)  # as in a terminal
    with ThreadPoolExecutor(1) as executor, deck.watching(name) as block:
        empty = block._repr_mimebundle_()["text/plain"]
        executor.submit(abs, -1)
    (job,) = block.jobs()
    block._ipython_display_()
    for shown in (capsys.readouterr().out, block._repr_mimebundle_(include=None)["text/plain"], block._display_()):
        assert (name or job.job_id()) in shown
    assert empty == "no jobs"
    assert "ended, 1 job>" in repr(block)


def test_what_other_threads_submit_meanwhile_is_not_shown(deck: Deck):
    with ThreadPoolExecutor(1) as executor, deck.watching() as block:
        thread = threading.Thread(target=executor.submit, args=(int,))
        thread.start()
        thread.join(10)
    assert block.jobs() == []
    assert deck.jobs() == []


def test_tasks_of_a_block_are_shown_whatever_loop_they_run_in(deck: Deck):
    async def inner() -> int:
        return 5

    async def outer() -> int:
        return sum(await asyncio.gather(inner(), inner()))

    with deck.watching() as block:
        assert asyncio.run(outer()) == 10
    names = sorted(job.name.rpartition(".")[2] for job in block.jobs())
    assert names.count("inner") == 2
    assert "outer" in names


async def test_tasks_that_go_on_after_the_block_show_how_they_end_and_start_no_more(deck: Deck):
    go_on = asyncio.Event()

    async def late() -> str:
        await go_on.wait()
        await asyncio.create_task(asyncio.sleep(0))
        return "late"

    with deck.watching("a block", tags=["x"]) as block:
        task = asyncio.create_task(late())
    go_on.set()
    assert await task == "late"
    (job,) = block.jobs()
    assert await job == "late"
    assert len(deck.jobs()) == 1
    (group,) = deck.groups()
    assert (group.name, [each.job_id() for each in group.jobs()]) == ("a block", [job.job_id()])


def test_blocks_within_blocks_and_errors_in_them_leave_everything_as_it_was(deck: Deck):
    before = ThreadPoolExecutor.submit, asyncio.BaseEventLoop.create_task

    def fail() -> None:
        raise ValueError("mine")

    with ThreadPoolExecutor(1) as executor:
        with deck.watching() as outer:
            inner = deck.watching()
            with pytest.raises(ValueError, match="mine"), inner:
                executor.submit(int) and fail()
            executor.submit(int)
        assert (len(outer.jobs()), len(inner.jobs())) == (1, 1)
    assert (ThreadPoolExecutor.submit, asyncio.BaseEventLoop.create_task) == before
    with pytest.raises(jobdeck.JobError, match="used before"), inner:
        pass


def test_what_cannot_be_shown_runs_all_the_same(deck: Deck, monkeypatch, caplog):
    monkeypatch.setattr(Deck, "watch", lambda *_, **__: 1 / 0)
    with ThreadPoolExecutor(1) as executor, deck.watching():
        assert [executor.submit(abs, -1).result(10) for _ in range(3)] == [1, 1, 1]
    assert caplog.text.count("cannot be shown") == 1


def test_a_module_that_is_called_like_a_known_one_keeps_no_block_from_opening(deck: Deck, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "ray", types.ModuleType("ray"))
    with ThreadPoolExecutor(1) as executor, deck.watching() as block:
        executor.submit(abs, -1)
    assert [job.result(timeout=10) for job in block.jobs()] == [1]
    assert "what ray creates is not shown by itself" in caplog.text
