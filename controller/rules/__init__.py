"""What is decided. No I/O, clock, chance, thread or socket in here."""
