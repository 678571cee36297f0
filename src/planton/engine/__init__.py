"""The engine: stacks, their state and operations on them, through Pulumi's Automation API.

Pulumi's errors become ours here and only here. The engine does not trust a plugin: see ``guards``.
"""
