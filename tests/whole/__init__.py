"""Promises that only whole processes can show."""
