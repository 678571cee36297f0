"""The kinds of Example, a cloud that exists only in tests."""
