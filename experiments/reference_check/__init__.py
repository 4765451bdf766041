"""The fast model held against the page-exact simulator on the same scenarios, phases and rules."""
