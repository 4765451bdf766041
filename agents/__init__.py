"""Whatever can decide: the kernel's rules and trained policies, behind one predict()."""
