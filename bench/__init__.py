"""How fast Handbill is, as ratios to yardsticks measured in the same run; see `make bench`."""
