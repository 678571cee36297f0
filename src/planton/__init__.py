"""planton: Kubernetes clusters and node pools from Protobuf manifests.

The package is layered; a module imports only from layers below its own (see ``pyproject.toml``, import-linter):
cli → flow → engine → modules → manifest, stack_input → defaults, validation, references → kinds → errors.
"""

import pkgutil

#: A distribution can add clouds and kinds in folders ``planton/clouds`` and ``planton/modules`` of its own.
__path__ = pkgutil.extend_path(__path__, __name__)

__version__ = "0.1.0"
