"""Qiskit jobs."""
