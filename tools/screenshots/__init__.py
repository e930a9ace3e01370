"""Pictures of every page and mail of the demo, for people to look at before a release."""
