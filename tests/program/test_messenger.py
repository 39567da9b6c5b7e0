"""What a program says is stored before the call returns, in order, whoever says it."""

from __future__ import annotations

import io
import os
import threading

import numpy as np
import pytest

from jobdeck._codec import RuntimeEncoder, decode
from jobdeck._errors import EncodingError, InvalidInputError, JobCancelledError, RuntimeInvalidStateError
from jobdeck._messenger import PrintingMessenger, UserMessenger, activate, active
from jobdeck._ports import MessageSink


class ListSink(MessageSink):
    """A sink in memory, as strict about its order as a store."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, bool]] = []
        self.progress: list[tuple[float, float | None, str | None]] = []

    def add_message(self, job_id: str, body: str, *, final: bool = False) -> int:
        self.messages.append((job_id, body, final))
        return len(self.messages)

    def set_progress(self, job_id: str, done: float, total: float | None, message: str | None) -> None:
        self.progress.append((done, total, message))


@pytest.fixture
def sink() -> ListSink:
    return ListSink()


@pytest.fixture
def messenger(sink):
    return UserMessenger(sink, "job-1")


def test_a_message_is_stored_before_publish_returns(messenger, sink):
    messenger.publish({"step": 1})
    assert sink.messages == [("job-1", '{"step": 1}', False)]


def test_nothing_is_published_after_the_final_message(messenger, sink):
    messenger.publish(1, final=True)
    with pytest.raises(RuntimeInvalidStateError, match="job-1 has published its final message"):
        messenger.publish(2)
    assert len(sink.messages) == 1


def test_the_stream_goes_on_after_a_message_that_cannot_be_encoded(messenger, sink):
    with pytest.raises(EncodingError, match=r"message\['a'\]"):
        messenger.publish({"a": object()}, final=True)
    messenger.publish(2)
    assert sink.messages == [("job-1", "2", False)]


def test_an_encoder_of_ones_own_is_used(messenger, sink):
    class Named(RuntimeEncoder):
        def default(self, o):
            return type(o).__name__

    messenger.publish([object()], Named)
    assert sink.messages[0][1] == '["object"]'


def test_after_an_interrupt_every_call_raises(messenger, sink):
    messenger.interrupt()
    for call in (lambda: messenger.publish(1), lambda: messenger.progress(1)):
        with pytest.raises(JobCancelledError, match="job-1 was asked to stop"):
            call()
    assert (sink.messages, sink.progress) == ([], [])


def test_threads_publish_without_losing_their_order(messenger, sink):
    def talk(name: int) -> None:
        for number in range(200):
            messenger.publish([name, number])

    threads = [threading.Thread(target=talk, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = [decode(body) for _, body, _ in sink.messages]
    for name in range(8):
        assert [number for who, number in seen if who == name] == list(range(200))


def test_only_one_of_many_threads_publishes_the_final_message(messenger, sink):
    start = threading.Barrier(8)
    refused: list[int] = []

    def finish(number: int) -> None:
        start.wait(timeout=10)
        try:
            messenger.publish(number, final=True)
        except RuntimeInvalidStateError:
            refused.append(number)

    threads = [threading.Thread(target=finish, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(sink.messages), len(refused)) == (1, 7)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ((1,), (1.0, None, None)),
        ((1, 2, "words"), (1.0, 2.0, "words")),
        ((3, 2), (3.0, 2.0, None)),
        ((np.float32(0.5), np.int64(4)), (0.5, 4.0, None)),
        ((0, 0, "a\ud800"), (0.0, 0.0, "a?")),
    ],
)
def test_progress_is_stored_as_plain_numbers(messenger, sink, given, stored):
    messenger.progress(*given)
    assert sink.progress == [stored]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((float("nan"),), "done must be finite and not negative, not nan"),
        ((1, float("inf")), "total must be finite"),
        ((1, -1), "total must be finite and not negative, not -1"),
        ((-1,), "done must be finite and not negative"),
        (("3",), "done must be a number, not str"),
        ((None,), "done must be a number, not NoneType"),
        ((True,), "done must be a number, not bool"),
        ((1, 1j), "total must be a number, not complex"),
        ((10**400,), "done must be a number"),
    ],
)
def test_progress_that_is_no_number_is_an_error(messenger, sink, given, words):
    with pytest.raises(InvalidInputError) as caught:
        messenger.progress(*given)
    assert words in str(caught.value)
    assert sink.progress == []


def test_outside_a_job_messages_are_lines_of_json():
    stream = io.StringIO()
    messenger = PrintingMessenger(stream)
    messenger.publish({"a": (1, 2)})
    messenger.publish("end", final=True)
    messenger.publish("more")
    messenger.progress(1, 2, "half")
    messenger.interrupt()
    lines = stream.getvalue().splitlines()
    assert decode(lines[0]) == {"a": (1, 2)}
    assert [decode(line) for line in lines[1:]] == [
        "end",
        "more",
        {"progress": {"done": 1.0, "total": 2.0, "message": "half"}},
    ]


def test_outside_a_job_lines_go_to_the_standard_output_of_the_moment(capsys):
    PrintingMessenger().publish(1)
    assert capsys.readouterr().out == "1\n"


def test_a_forked_process_can_publish_while_a_thread_of_its_parent_did(sink):
    inside, go_on = threading.Event(), threading.Event()

    class SlowSink(ListSink):
        def add_message(self, job_id, body, *, final=False):
            if body == "0":
                inside.set()
                go_on.wait(timeout=30)
            return super().add_message(job_id, body, final=final)

    slow = SlowSink()
    messenger = UserMessenger(slow, "job-1")
    activate(messenger)
    thread = threading.Thread(target=messenger.publish, args=(0,))
    thread.start()
    try:
        assert inside.wait(timeout=10)
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the fork beside a thread is what this is about
            child = os.fork()
        if child == 0:
            messenger.publish(1)
            os._exit(len(slow.messages))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    finally:
        go_on.set()
        thread.join()
        activate(None)
    assert active() is None
