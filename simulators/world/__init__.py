"""The virtual district: the real nodes, rules and records under a virtual clock and a network out of a seed."""
