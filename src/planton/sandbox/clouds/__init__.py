"""The simulated clouds, by the name that their Pulumi provider has.

A cloud is a class with the methods of `civo.Civo`; another one is another file
and another line here.
"""

from __future__ import annotations

from planton.sandbox.clouds import civo

CLOUDS = {"civo": civo.Civo}
