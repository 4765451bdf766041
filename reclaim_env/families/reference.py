"""Every family in one table, printed from the TOML files; docs/families.md holds it."""

from reclaim_env.families.ranges import families, ids, variant


def table() -> str:
    """Markdown: name, splits, what happens, what is right to do."""
    lines = ["| family/name | cut, splits | what happens | what is right |", "|---|---|---|---|"]
    for name_id in ids():
        family = name_id.partition("/")[0]
        one, told = families()[family], variant(name_id)
        splits = "transfer" if told.transfer else f"`{one.cut}`"
        lines.append(f"| `{name_id}` | {splits} | {told.story} | {told.right} |")
    return "\n".join(lines) + "\n"
