"""Rules and agents on families of scenarios: what they cost, family by family, and what that proves."""
