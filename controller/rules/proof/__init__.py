"""That the network works: self-tests, walks, canaries, the nightly count, coverage, exercises."""
