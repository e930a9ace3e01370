"""How: dispatches and their ledger, message bytes, the relay, and mail that comes back."""
