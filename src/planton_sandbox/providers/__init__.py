"""Stand-ins for official Pulumi provider plugins, where those cannot be had.

Each one serves Pulumi's ``ResourceProvider`` protocol over gRPC and talks to a cloud over HTTP as the official plugin
does, so that a program cannot tell which of the two it has. What every cloud needs is in ``protocol``, ``planning``,
``checking`` and ``schema``; a cloud adds its tables and its calls. Nothing here knows a simulated cloud's insides.
"""
