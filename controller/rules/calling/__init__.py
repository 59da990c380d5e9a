"""Who is told: rings, the police, neighbours, storms; by which channel, in which order, at which pace."""
