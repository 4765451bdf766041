"""Every rule as `reclaim rules` prints it."""

from textwrap import wrap

from reclaim_env.reset_rules import RULES, ResetRule
from reclaim_env.rule_parameters import PARAMETERS

WIDTH = 100
INDENT = "    "


def render() -> str:
    lines = ["A rule is named NAME or NAME?PARAMETER=VALUE&..., as in 'threshold?runs=4'.", ""]
    for rule in RULES.values():
        lines += [rule.name, *_paragraph(rule.doc)]
        lines += _paragraph(f"Needs {rule.needs}.")
        lines += _paragraph("The lab's kernel runs it.") if rule.is_masks else []
        lines += [f"{INDENT}{line}" for line in _parameters(rule)]
        lines += _paragraph(f"Source: {rule.source}.")
    return "\n".join(lines) + "\n"


def _paragraph(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)


def _parameters(rule: ResetRule) -> list[str]:
    return [f"{name}={getattr(rule, name):g} {PARAMETERS[name].doc}" for name in rule.takes]
