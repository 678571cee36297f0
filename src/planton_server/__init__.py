"""The NodePool API: a service on messages, and the transports that carry them.

The protos define it; routes, JSON, documentation and gRPC are derived from their descriptors. The service knows no transport.
"""
