"""Commands for whoever works on Handbill."""
