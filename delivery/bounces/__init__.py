"""Reads mail that came back, and says what it means."""
