"""What happened since the last frame, as a state that does not grow with the number of events."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .._follow import Update
from .._records import JobRecord


@dataclass
class Pending:
    """Changes that wait to be sent; of each job the newest state alone.

    Attributes
    ----------
    places
        Whether the places of queued jobs are to be looked up, too.
    output_since
        When the first of the captured output came (monotonic).
    """

    records: dict[str, JobRecord] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    seqs: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    places: bool = False
    output_since: float = 0.0

    def add(self, update: Update) -> None:
        """Take in what the follower tells."""
        for record in update.jobs:
            self.records[record.job_id] = record
            self.deleted.discard(record.job_id)
        for job_id in update.deleted:
            self.deleted.add(job_id)
            for known in (self.records, self.seqs, self.sizes):
                known.pop(job_id, None)
        self.seqs.update(update.seqs)
        if update.log_sizes and not self.sizes:
            self.output_since = time.monotonic()
        self.sizes.update(update.log_sizes)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing waits."""
        return not (self.records or self.deleted or self.seqs or self.sizes or self.places)

    @property
    def has_output_alone(self) -> bool:
        """Tell whether nothing but captured output waits."""
        return not (self.records or self.deleted or self.seqs or self.places)

    @property
    def job_ids(self) -> set[str]:
        """The jobs of which something waits, apart from the deleted ones."""
        return {*self.records, *self.seqs, *self.sizes}

    @property
    def load(self) -> int:
        """Number of jobs that changed."""
        return max(len(self.records), len(self.seqs), len(self.sizes), 1)
