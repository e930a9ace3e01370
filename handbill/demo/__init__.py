"""The demo: a sample coalition on a throw-away database, with a mail catcher instead of a relay."""
