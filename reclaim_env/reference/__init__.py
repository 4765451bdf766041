"""A page-exact simulator of the same scenarios: what the fast model is held against, and never part of it."""
