"""planton: Kubernetes clusters and node pools from Protobuf manifests.

The package is layered; a module imports only from layers below its own (see ``pyproject.toml``, import-linter):
cli → flow → engine → modules → manifest, stack_input → defaults, validation, references → kinds → errors.
"""

__version__ = "0.1.0"
