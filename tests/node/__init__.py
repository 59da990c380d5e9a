"""The node's shell: pins, guard, outbox, link, and whole node processes."""
