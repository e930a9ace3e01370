"""Stories of people who use the demo, all of which share one."""
