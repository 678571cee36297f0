"""The controllers of a simulated cluster: each is a function that brings the stored objects one step further."""
