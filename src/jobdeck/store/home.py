"""The directory that holds a store: where it is, and whether it is safe to use."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from .._errors import StoreError

DATABASE: Final = "jobdeck.db"
OUTPUT: Final = "output"
BLOBS: Final = "blobs"


def output_path(home: Path, job_id: str) -> Path:
    """Return the file that holds a job's captured output."""
    return home / OUTPUT / f"{job_id}.log"


def size_of(path: Path | str) -> int:
    """Return a file's size, 0 where there is none (any more)."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def default_home() -> Path:
    """Return the home of this user's jobs: ``JOBDECK_HOME``, else the platform's directory for a user's state."""
    if named := os.environ.get("JOBDECK_HOME"):
        return Path(named).expanduser().absolute()
    from platformdirs import user_state_path

    return user_state_path("jobdeck", appauthor=False)


def prepare_home(home: Path, user: int | None = None) -> None:
    """Make the home and its folders where they are missing, for their owner alone.

    Parameters
    ----------
    home
        An absolute path.
    user
        The user id that has to own it; the process's own by default.

    Raises
    ------
    StoreError
        If it is not a directory, cannot be made or written, belongs to somebody else, or can be written by others.
    """
    try:
        # Not through parents=True alone, whose mode would come from the umask.
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
        check_home(home, os.geteuid() if user is None else user)
        for folder in (OUTPUT, BLOBS):
            (home / folder).mkdir(mode=0o700, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise StoreError(
            f"the jobdeck home {home} cannot be a directory, since {error.filename} is a file; "
            "move the file away, or name another directory with JOBDECK_HOME or Deck(home=...)"
        ) from error
    except OSError as error:
        raise StoreError(
            f"the jobdeck home {home} cannot be written ({error.strerror}); "
            "make it writable for you, or name another directory with JOBDECK_HOME or Deck(home=...)"
        ) from error


def check_home(home: Path, user: int) -> None:
    """Refuse a home that somebody else owns or can write to, as what lies there is unpickled; hide it from others."""
    found = os.stat(home)
    if found.st_uid != user:
        raise StoreError(
            f"the jobdeck home {home} belongs to user {found.st_uid}, not to you (user {user}); "
            "name a directory of your own with JOBDECK_HOME or Deck(home=...)"
        )
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o022:
        raise StoreError(
            f"the jobdeck home {home} can be written by other users (mode {mode:04o}), who could run code as you; "
            f"close it with: chmod 700 '{home}'"
        )
    if mode & 0o777 != 0o700:
        os.chmod(home, 0o700)
