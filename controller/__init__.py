"""What the network is and what it decides: messages, registry, rules, records."""
