"""What: issues and their developments, bulletins, who gets them, and what came of it."""
