"""The one place where the version is written; js/package.json is held to it by a test."""

__version__ = "0.1.0"
