"""Who: people and organisations, what they agreed to, and how they take it back."""
