"""Every rule as `reclaim rules` prints it."""

from textwrap import wrap

from reclaim_env.model.constants import GLOBAL_DIRECT, KSWAPD, MEMCG_HIGH, MEMCG_MAX, PROACTIVE
from reclaim_env.reset_rules import RULES, ResetRule
from reclaim_env.rule_parameters import PARAMETERS

WHO = {
    "kswapd": KSWAPD,
    "direct reclaim": GLOBAL_DIRECT,
    "memory.high": MEMCG_HIGH,
    "memory.max": MEMCG_MAX,
    "memory.reclaim": PROACTIVE,
}

WIDTH = 80
INDENT = "    "


def render() -> str:
    lines = ["A rule is named NAME or NAME?PARAMETER=VALUE&..., as in 'threshold?runs=4'.", ""]
    for rule in RULES.values():
        lines += [rule.name, *_paragraph(rule.doc)]
        lines += _paragraph(f"Resets at progress by {_by_answer(rule)}.")
        lines += _paragraph(f"Needs {rule.needs}.")
        lines += _paragraph("The lab's kernel runs it.") if rule.is_masks else []
        for name in rule.takes:
            lines += _paragraph(f"{name}={getattr(rule, name):g} {PARAMETERS[name].doc}")
        lines += _paragraph(f"Source: {rule.source}.")
    return "\n".join(lines) + "\n"


def truth_table(rule: ResetRule) -> dict[str, str]:
    """What progress by each does to the count: the masks in the order in which the model tries them."""
    answers = (
        ("yes", rule.always),
        ("if balanced", rule.balanced),
        ("if so", rule.signalled),
        ("half", rule.coin),
    )
    return {
        who: next((answer for answer, mask in answers if mask >> reason & 1), "no")
        for who, reason in WHO.items()
    }


def _by_answer(rule: ResetRule) -> str:
    """Those with the same answer together: `kswapd: yes; direct reclaim, memory.high: if balanced`."""
    table = truth_table(rule)
    answers = dict.fromkeys(table.values())
    return "; ".join(
        f"{', '.join(who for who, one in table.items() if one == answer)}: {answer}" for answer in answers
    )


def _paragraph(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
