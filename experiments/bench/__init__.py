"""What a step costs: `reclaim bench`."""
