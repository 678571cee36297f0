"""The Kubernetes APIs of simulated clusters.

A request passes ``api`` (verbs), ``paths`` (targets), ``decoding`` (bodies), ``writes`` or ``reads``, and ``rendering``. Objects
are in ``store``; nothing but ``writes`` and ``controllers`` changes them. ``simulation`` runs the controllers when a cluster is
looked at, at every moment at which something was due. ``registration`` turns the cloud's machines into nodes.

To serve another kind, add it to ``resources``, list its fields in ``types/``, its defaults in ``defaults``, what is refused in
``validation``, its columns in ``columns``, and, if it acts, write a controller.
"""
