"""Whether our mail arrives: what others find of us in the DNS, at our relays and in our mail."""
