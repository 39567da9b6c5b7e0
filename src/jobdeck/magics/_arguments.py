"""The magics' arguments, with errors that are read by people."""

from __future__ import annotations

import argparse
import re
import shlex
from typing import Any, NoReturn

from IPython.core.error import UsageError


class Arguments(argparse.ArgumentParser):
    """Parses a magic's line; whatever is wrong with it is a UsageError that shows the usage."""

    def __init__(self, magic: str, description: str) -> None:
        super().__init__(prog=magic, description=description, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage().strip()}")

    def read(self, line: str) -> argparse.Namespace:
        """Return the arguments of a line."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            self.error(f"{str(error).lower()} in: {line}")
        # Asked first: argparse names what is missing, and not the option that was taken for it.
        if not self._option_string_actions and (wrong := [word for word in words if word.startswith("-")]):
            self.error(f"unrecognized arguments: {' '.join(wrong)}")
        return self.parse_args(words)


class Names(argparse.Action):
    """Collects variable names: separated by commas, or by giving the option again."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        names = list(getattr(namespace, self.dest) or ())
        for name in str(values).split(","):
            if not name.strip().isidentifier():
                parser.error(f"{option}: {name.strip()!r} is no variable's name")
            names.append(name.strip())
        setattr(namespace, self.dest, names)


def query(magic: str, line: str) -> str:
    """Return the query that a line is. No options go with one, and ``--all`` would be the jobs that are called so."""
    wrong = [word for word in re.sub('"[^"]*"', '""', line).split() if word.startswith("--")]
    if wrong:
        raise UsageError(f"unrecognized arguments: {' '.join(wrong)}\nusage: {magic}")
    return line.strip()


def seconds(text: str) -> float:
    """Read a time limit."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from None
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value
