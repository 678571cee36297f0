"""A cloud on loopback, so that every command can be tried and tested without an account.

The package simulates what the product talks to: the clouds' HTTP APIs, a
Kubernetes API for each cluster, and the outside world that fails and drifts.
It must not import anything else of ``planton``: a simulator that shares code
with the product shares its mistakes.
"""
