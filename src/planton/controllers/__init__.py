"""Controllers: the desired state of the NodePool API → the pipeline, and what the cloud has → the status.

``decide`` is pure. Everything else observes, acts and reports. The order of a run is in `planton.controllers.reconcile`.
"""
