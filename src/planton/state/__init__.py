"""Stacks as data: backends, inventory, history, locks and migration."""
