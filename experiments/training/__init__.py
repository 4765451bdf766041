"""Learning a rule: configs, learners of every kind, what they learn from and are validated on."""
