"""Ways by which mail comes in: a listener of our own, an IMAP mailbox, a Maildir.

All hand what they take to `delivery.returns`, which knows what it means.
"""
