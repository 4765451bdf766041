"""Random machines, each from one integer, and what must hold of them; a longer hunt is `make fuzz`.

A seed that breaks a law is a line of tests/regressions/seeds.txt: the law, the seed, and what was wrong. They
are replayed with every run of the tests.
"""

import argparse
import secrets
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.reference_check.drawn import Drawn, draw
from experiments.reference_check.sides import ANON_LEVELS, LEVELS, both
from experiments.reference_check.variants import Variant
from reclaim_env.action import install_rule
from reclaim_env.boot import boot
from reclaim_env.model.tick import start_episode, step_rows
from reclaim_env.reference import boot as reference
from tests.drawn_parts import draw_for_reference, draw_with_parts
from tests.model.audit import audit
from tests.reference.machines import audit as audit_pages

SEEDS = Path(__file__).parent / "regressions" / "seeds.txt"
TICKS, TICKS_BETWEEN_AUDITS = 80, 10
PAGES_DURATION_S, PAGES_TICKS, PAGES_AUDITS = 0.4, 40, 4

AGREED_FLOWS = ("pgsteal_file", "workingset_refault_file", "pgpgin", "pswpout", "pswpin")
AGREEMENT_S, AGREEMENT_TICKS, AGREEMENT_SEEDS = 1.0, 100, 3
ALLOWED_RATIO, ALLOWED_ERRORS, ALLOWED_PAGES = 0.10, 3.0, 64  # a batch of charges more or less is rounding


def booted(drawn: Drawn, seed: int) -> np.ndarray:
    """(1,) machine of the fast model, before its episode."""
    machines = boot(drawn.scenario, drawn.kernel)
    install_rule(machines, drawn.rule)
    machines["seed"] = seed
    return machines


def model_is_lawful(seed: int) -> None:
    """No page is lost or counted twice, no counter lies, no limit is broken."""
    obeys_the_laws(draw(seed), seed)


def obeys_the_laws(drawn: Drawn, seed: int) -> None:
    machines = booted(drawn, seed)
    start_episode(machines[0])
    audit(machines)
    for _ in range(TICKS // TICKS_BETWEEN_AUDITS):
        before = machines.copy()
        step_rows(machines, np.int64(TICKS_BETWEEN_AUDITS))
        audit(machines, before)


def parts_are_lawful(seed: int) -> None:
    """The same with swap, tiers, slab, hotplug, a killer in user space, and any rule."""
    obeys_the_laws(draw_with_parts(seed, TICKS), seed)


def reference_is_lawful(seed: int) -> None:
    """The same of the page-exact simulator."""
    obeys_the_laws_of_pages(draw(seed, PAGES_DURATION_S), seed)


def reference_parts_are_lawful(seed: int) -> None:
    """The same with the parts that the page-exact simulator knows."""
    obeys_the_laws_of_pages(draw_for_reference(seed, PAGES_TICKS), seed)


def obeys_the_laws_of_pages(drawn: Drawn, seed: int) -> None:
    m = reference.boot(drawn.scenario, drawn.rule, seed, drawn.kernel)
    audit_pages(m)
    for part in range(1, PAGES_AUDITS + 1):
        reference.run(m, drawn.scenario.duration_s * part / PAGES_AUDITS)
        audit_pages(m)


def both_agree(seed: int) -> None:
    """Pages on the lists, evictions, refaults and reads of both simulators, over a few seeds of each."""
    agree_on(draw(seed, AGREEMENT_S))


def both_agree_on_parts(seed: int) -> None:
    """The same with the parts that both know."""
    agree_on(draw_for_reference(seed, AGREEMENT_TICKS))


def agree_on(drawn: Drawn) -> None:
    variant = Variant(drawn.scenario, drawn.rule, drawn.kernel)
    sides = [both(variant, one) for one in range(AGREEMENT_SEEDS)]
    for name in (*LEVELS, *ANON_LEVELS, *AGREED_FLOWS):
        read = np.max if name in AGREED_FLOWS else np.mean  # a flow is counted from the start
        fast, exact = (np.array([read(pair[side][name]) for pair in sides]) for side in (0, 1))
        error = np.sqrt((fast.var(ddof=1) + exact.var(ddof=1)) / AGREEMENT_SEEDS)
        allowed = ALLOWED_RATIO * exact.mean() + ALLOWED_ERRORS * error + ALLOWED_PAGES
        assert abs(fast.mean() - exact.mean()) <= allowed, (name, fast.mean(), exact.mean(), error)


LAWS: dict[str, Callable[[int], None]] = {
    law.__name__: law
    for law in (
        model_is_lawful,
        parts_are_lawful,
        reference_is_lawful,
        reference_parts_are_lawful,
        both_agree,
        both_agree_on_parts,
    )
}


def stored() -> list[tuple[str, int]]:
    """(law, seed) of every line."""
    lines = (line.split("#")[0].split() for line in SEEDS.read_text().splitlines())
    return [(words[0], int(words[1])) for words in lines if words]


def broken(law: str, seed: int) -> str | None:
    """What was wrong, on one line."""
    try:
        LAWS[law](seed)
    except AssertionError as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return " ".join(f"{place.name}: {place.line} {error}".split())[:200]
    return None


def hunt(law: str, first: int, minutes: float) -> int:
    """Stores every seed that breaks the law. Returns how many were tried."""
    ends_s, seed = time.monotonic() + 60 * minutes, first
    while time.monotonic() < ends_s:
        found = broken(law, seed)
        if found:
            sys.stdout.write(f"{law} {seed}  # {found}\n")
            with SEEDS.open("a") as file:
                file.write(f"{law} {seed}  # {found}\n")
        seed += 1
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{law}: {seed - first} seeds from {first}")
    return seed - first


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--law", choices=LAWS, action="append", help="all of them if left out")
    parser.add_argument("--first", type=int, default=secrets.randbelow(10**9), help="the first seed")
    parser.add_argument("--minutes", type=float, default=5.0, help="for each law")
    options = parser.parse_args()
    for law in options.law or LAWS:
        tried = hunt(law, options.first, options.minutes)
        sys.stdout.write(f"{law}: tried {tried} seeds from {options.first}\n")


if __name__ == "__main__":
    main()
