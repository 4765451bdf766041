"""What is measured at the end of each training episode, under the names the rules' runs carry."""

TRACKED = (
    "kswapd_cpu_s",
    "stall_s",
    "allocstall",
    "refault_mib",
    "refault_mib_per_s",
    "bystander_refault_mib",
    "hopeless_s",
    "oom_kills",
)
