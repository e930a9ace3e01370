"""Real parts for tests: databases, an SMTP server, the assembled application, a browser."""
