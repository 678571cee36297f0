"""The NodePool API over gRPC: methods, health and reflection."""
