"""The virtual district: thousands of bad nights, and what they must not break."""
