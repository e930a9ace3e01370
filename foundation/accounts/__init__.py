"""Staff: who may come in, by what proof, and what they may do."""
