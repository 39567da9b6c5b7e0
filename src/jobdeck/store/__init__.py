"""The store on SQLite."""

from .home import default_home
from .journal import StoreWarning
from .sqlite import SQLiteStore, open_store

__all__ = ["SQLiteStore", "StoreWarning", "default_home", "open_store"]
