"""IBM's service: its client library as it is, against a scripted server.

``tests/qiskit`` itself has no ``__init__``: as a package it would stand before the real ``qiskit``.
"""
