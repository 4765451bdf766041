"""Questions asked of the model by a thousand short answers: maps, counterexamples, weights."""
