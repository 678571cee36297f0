"""Stand-ins for the official Pulumi plugins, for machines that do not have those.

Each stand-in serves Pulumi's ``ResourceProvider`` protocol over gRPC and calls a cloud's API over HTTP, like the official plugin.
A program cannot tell the two apart. ``protocol``, ``planning``, ``checking`` and ``schema`` are common; a cloud adds its tables
and calls. A stand-in works against any server that has the cloud's API, and knows nothing of the simulated clouds.
"""
