"""What servers say and what it means: the ordered table, in the order of its files."""
