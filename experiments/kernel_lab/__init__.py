"""The same scenario on a real kernel: a lab kernel, a guest that runs its workloads, what came out."""
