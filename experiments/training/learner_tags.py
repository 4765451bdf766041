"""What a training run shows of agents and rules on the same episodes of validation, under the same names."""

from reclaim_env.model.constants import REASONS

TRACKED = (
    "cost_s",
    "kswapd_cpu_s",
    "stall_s",
    "allocstall",
    "refault_mib",
    "refault_mib_per_s",
    "bystander_refault_mib",
    "hopeless_s",
    *(f"resets_{reason}" for reason in REASONS),
    "oom_kills",
)

# The cost over that of the worse of `always` and `balanced`, the mean over the lessons; and for each of them.
COST_RATIO = "eval/cost_ratio"
MEAN_REWARD = "eval/mean_reward"  # stable-baselines3's name
