"""The pipeline: resources planned, approved, applied and destroyed together, in the order of their references."""
