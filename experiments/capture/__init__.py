"""This machine, or another's files, as a scenario: `reclaim scenario capture`."""
