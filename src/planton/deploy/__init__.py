"""The pipeline: load → graph → resolve → plan → approve → apply. One file per stage; values are immutable."""
