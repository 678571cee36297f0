"""The server of the NodePool API: a service on messages, a store, and the transports REST and gRPC.

The protos define the API. Routes, JSON, documentation and gRPC are derived from their descriptors. The service knows no transport.
"""
