"""The schema: kinds, defaults, validation rules, references between kinds, and field descriptions."""
