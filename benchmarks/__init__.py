"""Measures what jobdeck promises, side by side with peers that do the same work: ``python -m benchmarks``."""
