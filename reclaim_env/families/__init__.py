"""Families of scenarios: machines of one story with drawn numbers, each the same for ever by its name.

`family/name?param=value#seed` names one machine and one episode on it:

    futile_revival/onoff                       the middle of every range
    futile_revival/onoff#7                     every number drawn by seed 7
    dead_kswapd/memcg?stream_mib_per_s=200#7   one number given, the others drawn
    dead_kswapd/memcg?split=test#7             drawn in the test's ranges; unsaid, the training set's
    dead_kswapd/memcg?prices=varied#7          device, watermark gap and kswapd's CPU share drawn too
    dead_kswapd/memcg#0..63                    64 machines, where several are taken

A name goes wherever a scenario does. The seed draws the numbers, and is the episode's seed too unless reset()
is given another one. What a family tells, and what is right to do, stands in its TOML file beside this one.
"""

from reclaim_env.families.drawing import member, numbers_of
from reclaim_env.families.naming import MemberName, expand, is_name, parse
from reclaim_env.families.ranges import SPLITS, families, ids, split_of, variant

__all__ = [
    "SPLITS",
    "MemberName",
    "expand",
    "families",
    "ids",
    "is_name",
    "member",
    "numbers_of",
    "parse",
    "split_of",
    "variant",
]
