"""Whole processes on real transports, as in the street."""
