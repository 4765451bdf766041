"""Running rules and agents against each other: the command `reclaim`."""
