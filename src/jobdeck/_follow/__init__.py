"""Following a store: one thread that looks, and what it tells its listeners."""

from .follower import Follower, Subscription
from .lookout import Update

__all__ = ["Follower", "Subscription", "Update"]
