"""Stories, properties and whole-process tests."""
