"""Ranges, splits and cost weights, frozen: results and agents carry the hash of what they were made with.

`python -m reclaim_env.families.frozen` prints the hash of what is here now; with `--write` it becomes the
stored one, and everything trained or measured before belongs to another benchmark.
"""

import hashlib
import json
import sys
from importlib import resources
from typing import Any

from reclaim_env import reward
from reclaim_env.families.drawing import numbers_of
from reclaim_env.families.naming import MemberName
from reclaim_env.families.ranges import families, splits
from reclaim_env.families.stories import tables

FILE = "frozen.json"
SAMPLED_SEEDS = range(2)


def digest() -> str:
    """Of all that decides which machines are drawn and what their episodes cost."""
    text = json.dumps(_content(), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stored() -> str:
    return json.loads((resources.files("reclaim_env.families") / FILE).read_text())["hash"]


def _content() -> dict[str, Any]:
    return {
        "families": {name: family.model_dump(mode="json") for name, family in families().items()},
        "splits": splits().model_dump(mode="json"),
        "weights": reward.WEIGHTS,
        "prices_s": {name: value for name, value in vars(reward).items() if name.endswith("_S")},
        "members": {str(name): tables(name.family, numbers_of(name)) for name in _sample()},
    }


def _sample() -> list[MemberName]:
    """Some members of every variant and split: a changed story or way of drawing shows in them."""
    return [
        MemberName(name, variant, {}, split, prices_vary, seed)
        for name, family in families().items()
        for variant in family.variant
        for split in family.splits(variant)
        for prices_vary in (False, True)
        for seed in SAMPLED_SEEDS
    ]


if __name__ == "__main__":
    sys.stdout.write(f"{digest()}\n")
    if "--write" in sys.argv[1:]:
        path = resources.files("reclaim_env.families") / FILE
        with resources.as_file(path) as file:
            file.write_text(json.dumps({"hash": digest()}) + "\n")
