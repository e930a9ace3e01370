"""When: what is due, and housekeeping."""
