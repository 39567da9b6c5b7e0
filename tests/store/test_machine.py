"""Whatever is called in whatever order: a status only ever goes where the table lets it, and no message is lost."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from jobdeck._errors import JobError, JobNotFoundError, RuntimeInvalidStateError
from jobdeck._records import JobQuery, JobRecord, Outcome
from jobdeck._status import TRANSITIONS, Exit, JobStatus, is_final, may_follow

from .conftest import IMPLEMENTATIONS, new_job

AGENTS = ("agent-1", "agent-2")
STATUSES = st.sampled_from([*JobStatus, "held", "odd"])
EXITS = st.builds(
    Exit,
    code=st.none() | st.integers(0, 255),
    signal=st.none() | st.integers(1, 64),
    timed_out=st.booleans(),
    out_of_memory=st.booleans(),
    lost=st.booleans(),
)
OUTCOMES = st.builds(
    Outcome,
    ok=st.booleans(),
    encoding=st.just("json"),
    body=st.none() | st.just(b"1"),
    exception_type=st.sampled_from(["ValueError", "MemoryError", "SystemExit", "KeyboardInterrupt"]),
)


class Jobs(RuleBasedStateMachine):
    jobs = Bundle("jobs")

    @initialize(kind=st.sampled_from(sorted(IMPLEMENTATIONS)))
    def open(self, kind: str) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = IMPLEMENTATIONS[kind](self.folder / "home")
        self.seen: dict[str, JobRecord] = {}
        self.published: dict[str, list[tuple[str, bool]]] = {}
        self.number = self.store.change_number()
        self.projection: dict[str, JobRecord] = {}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    @rule(target=jobs, submitted=st.booleans())
    def add(self, submitted: bool) -> str:
        job = self.store.add_job(new_job(submitted=submitted))
        self.seen[job.job_id] = job
        self.published[job.job_id] = []
        return job.job_id

    @rule(job_id=jobs)
    def submit(self, job_id: str) -> None:
        can = self.seen[job_id].status == JobStatus.INITIALIZING
        try:
            self.store.submit_job(job_id)
        except JobError:
            assert not can
        else:
            assert can

    @rule(agent=st.sampled_from(AGENTS), limit=st.integers(0, 3))
    def claim(self, agent: str, limit: int) -> None:
        queued = [job for job in self.seen.values() if job.status == JobStatus.QUEUED]
        claimed = self.store.claim("local", agent, limit)
        assert len(claimed) == min(limit, len(queued))
        assert all(self.seen[job.job_id].status == JobStatus.QUEUED and job.agent == agent for job in claimed)

    @rule(job_id=jobs, kind=st.sampled_from(["cancel", "kill"]))
    def ask(self, job_id: str, kind: str) -> None:
        ended = is_final(self.seen[job_id].status)
        try:
            self.store.ask(job_id, kind, "test")
        except RuntimeInvalidStateError:
            assert ended
        else:
            assert not ended

    @rule(agent=st.sampled_from(AGENTS), state=st.sampled_from(["stopping", "refused", "unsupported"]))
    def obey(self, agent: str, state: str) -> None:
        for command in self.store.commands("local", agent):
            assert self.seen[command.job_id].agent == agent
            self.store.note_cancel(command.job_id, state, "noted")

    @rule(job_id=jobs, status=STATUSES)
    def set_status(self, job_id: str, status: JobStatus | str) -> None:
        try:
            self.store.set_status(job_id, status)
        except ValueError:
            assert is_final(status)
        else:
            assert not is_final(status)

    @rule(job_id=jobs, outcome=OUTCOMES)
    def set_outcome(self, job_id: str, outcome: Outcome) -> None:
        try:
            self.store.set_outcome(job_id, outcome)
        except RuntimeInvalidStateError:
            assert is_final(self.seen[job_id].status)

    @rule(job_ids=st.lists(jobs, unique=True, max_size=3), end=EXITS)
    def finish(self, job_ids: list[str], end: Exit) -> None:
        closed = self.store.finish(dict.fromkeys(job_ids, end))
        assert [job.job_id for job in closed] == job_ids
        assert all(is_final(job.status) for job in closed)

    @rule(job_id=jobs, final=st.booleans())
    def publish(self, job_id: str, final: bool) -> None:
        said = self.published[job_id]
        is_over = is_final(self.seen[job_id].status) or (said and said[-1][1])
        body = f'"{len(said)}"'
        try:
            seq = self.store.add_message(job_id, body, final=final)
        except RuntimeInvalidStateError:
            assert is_over
        else:
            assert not is_over
            said.append((body, final))
            assert seq == len(said)

    @rule(job_id=consumes(jobs))
    def delete(self, job_id: str) -> None:
        status = self.seen[job_id].status
        may = is_final(status) or status in (JobStatus.INITIALIZING, JobStatus.QUEUED)
        try:
            self.store.delete_job(job_id)
        except RuntimeInvalidStateError:
            assert not may
        else:
            assert may
            del self.seen[job_id], self.published[job_id]

    @invariant()
    def every_status_follows_the_one_before(self) -> None:
        if not hasattr(self, "store"):
            return
        found = {job.job_id: job for job in self.store.jobs(JobQuery())}
        assert set(self.seen) <= set(found)
        for job_id, before in self.seen.items():
            now = found[job_id]
            if now.status != before.status:
                assert may_follow(before.status, now.status), (before.status, now.status)
                assert now.changed > before.changed
            if is_final(before.status):
                assert now == before
            assert is_final(now.status) == (now.ended is not None)
            assert (now.status == JobStatus.ERROR) == (now.error_kind is not None)
            assert now.interim_count == sum(not final for _, final in self.published[job_id])
            self.seen[job_id] = now

    @invariant()
    def what_changed_adds_up_to_what_there_is(self) -> None:
        if not hasattr(self, "store"):
            return
        changes = self.store.changes(self.number)
        self.number = changes.number
        self.projection.update({job.job_id: job for job in changes.jobs})
        for job_id in changes.deleted:
            self.projection.pop(job_id, None)
        rows = {job.job_id: job.changed for job in self.store.jobs(JobQuery())}
        assert {job_id: job.changed for job_id, job in self.projection.items()} == rows

    @invariant()
    def every_message_is_there_in_order(self) -> None:
        for job_id, said in getattr(self, "published", {}).items():
            try:
                messages = self.store.messages(job_id)
            except JobNotFoundError:
                raise AssertionError(f"{job_id} is gone") from None
            assert [(message.seq, message.body, message.final) for message in messages] == [
                (number, body, final) for number, (body, final) in enumerate(said, 1)
            ]


TestJobs = Jobs.TestCase
TestJobs.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


def test_the_machine_knows_every_status():
    assert set(TRANSITIONS) == set(JobStatus)
