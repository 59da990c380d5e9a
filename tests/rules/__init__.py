"""The rules, in virtual time, and the texts that people read."""
