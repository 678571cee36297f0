"""The service of the NodePool API: methods on messages and rows, independent of any transport."""
