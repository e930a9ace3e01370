"""Puts it together: the command line, the application, the demo."""
