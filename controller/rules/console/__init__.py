"""What people do at a console: verify, hand over, merge, split, close; and what is remembered of an incident's course."""
