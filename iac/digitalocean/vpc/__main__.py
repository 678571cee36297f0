"""DigitalOceanVpc as a Pulumi project: makes a private network at DigitalOcean from a stack input (docs/extend/standalone.md)."""

from planton import modules

modules.main()
