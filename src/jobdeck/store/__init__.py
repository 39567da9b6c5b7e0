"""The store on SQLite."""

from .home import default_home
from .sqlite import SQLiteStore, open_store

__all__ = ["SQLiteStore", "default_home", "open_store"]
