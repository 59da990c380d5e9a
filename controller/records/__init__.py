"""What is kept: the journal, its projections, the people."""
