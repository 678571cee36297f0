"""Simulated clouds on loopback: every command can be tried and tested without an account.

The package simulates what the product talks to: the clouds' HTTP APIs, a Kubernetes API for each cluster, faults, and
out-of-band changes. It imports nothing of ``planton``: a simulator that shares code with the product shares its mistakes.
"""
