"""Engines run jobs. Each has an agent, a detached process that claims its queued jobs and obeys commands."""
