"""When should the kernel forget that kswapd kept failing? Importing this registers Reclaim/KswapdReset-v0."""

import gymnasium

ENV_ID = "Reclaim/KswapdReset-v0"

if ENV_ID not in gymnasium.registry:
    gymnasium.register(
        ENV_ID,
        entry_point="reclaim_env.env:ReclaimEnv",
        vector_entry_point="reclaim_env.vector:ReclaimVectorEnv",
    )
