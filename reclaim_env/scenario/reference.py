"""The reference of the scenario schema, printed from the checked types: one table of fields each."""

import json
from collections.abc import Iterator
from types import NoneType
from typing import Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from reclaim_env.scenario.fields import Table
from reclaim_env.scenario.scenario import Scenario

INTRODUCTION = """\
# Scenario files

TOML, at most 256 KiB. Every key is checked; what is not listed here is refused. A list "for each node" has
one number for each `[[node]]` and may be left out (zeros). Numbers of a workload or file in a cgroup with
`count = N` are those of each of the N. Sizes are rounded to whole pages of 4 KiB.
"""
COLUMNS = "| field | unit | default | range | meaning |\n|---|---|---|---|---|\n"


def reference() -> str:
    """Markdown; `scenarios/README.md` is this text."""
    parts = [INTRODUCTION]
    for heading, table in _tables("", Scenario):
        doc = " ".join((table.__doc__ or "").split())
        parts.append(f"\n## {heading}\n\n{doc}\n\n{COLUMNS}")
        parts += [_row(name, field) for name, field in table.model_fields.items() if not _inner(field)]
    return "".join(parts)


def _inner(field: FieldInfo) -> type[Table] | None:
    """The table a field holds, or holds a list of."""
    candidates = (field.annotation, *get_args(field.annotation))
    return next((arg for arg in candidates if isinstance(arg, type) and issubclass(arg, Table)), None)


def _tables(path: str, table: type[Table]) -> Iterator[tuple[str, type[Table]]]:
    yield path or "top of the file", table
    for name, field in table.model_fields.items():
        inner = _inner(field)
        if inner is not None:
            key = f"{path.strip('[]')}.{name}".strip(".")
            yield from _tables(f"[[{key}]]" if get_origin(field.annotation) is tuple else f"[{key}]", inner)


def _row(name: str, field: FieldInfo) -> str:
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    if field.default is PydanticUndefined:
        default = "needed"
    elif field.default is None or field.default == ():
        default = ""
    else:
        default = f"`{json.dumps(field.default)}`"
    return f"| `{name}` | {unit} | {default} | {_range(field)} | {field.description} |\n"


def _range(field: FieldInfo) -> str:
    choices = next((get_args(arg) for arg in _unions(field.annotation) if get_origin(arg) is Literal), ())
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    low = next((item.ge for item in field.metadata if isinstance(item, Ge)), None)
    high = next((item.le for item in field.metadata if isinstance(item, Le)), None)
    return f"{low:g}..{high:g}" if isinstance(low, int | float) and isinstance(high, int | float) else ""


def _unions(annotation: object) -> tuple[object, ...]:
    return (annotation, *(arg for arg in get_args(annotation) if arg is not NoneType))
