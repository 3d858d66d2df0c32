"""Programs that measure what the tool itself costs; times are never part of the tests."""
