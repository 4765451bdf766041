"""How a field of a scenario table is declared: bounds, unit and description in one line.

The unit and the description are kept in the pydantic field, so that the schema reference
(`Table.model_json_schema()`) is printed from what is checked and not from a second text.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError, PydanticUndefined

MAX_MIB = 4e9  # below 2^40 pages: sums of pages stay exact in int64 and in float64
MAX_S = 86_400.0
MAX_COUNT = 100_000

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_][a-z0-9_-]{0,63}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^([a-z0-9_][a-z0-9_-]{0,63})?$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]

Mib = Annotated[float, Field(ge=0, le=MAX_MIB)]
NodeId = Annotated[int, Field(ge=0, le=7)]
# TOML has lists only; a frozen table needs tuples. What is inside stays strict.
PerNode = Annotated[tuple[Mib, ...], Field(strict=False)]
NodeIds = Annotated[tuple[NodeId, ...], Field(strict=False)]


class Table(BaseModel):
    """A table of a scenario file: exact types, known keys, finite numbers, never changed."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True
    )


def number(
    description: str, unit: str, default: Any = PydanticUndefined, *, low: float = 0, high: float = 1e9
) -> Any:
    """A bounded number; `low` and `high` may themselves be taken."""
    return Field(default, description=description, ge=low, le=high, json_schema_extra={"unit": unit})


def mib(description: str, default: Any = PydanticUndefined, *, low: float = 0, high: float = MAX_MIB) -> Any:
    return number(description, "MiB", default, low=low, high=high)


def seconds(
    description: str, default: Any = PydanticUndefined, *, low: float = 0, high: float = MAX_S
) -> Any:
    return number(description, "s", default, low=low, high=high)


def ms(
    description: str, default: Any = PydanticUndefined, *, low: float = 0, high: float = MAX_S * 1e3
) -> Any:
    return number(description, "ms", default, low=low, high=high)


def count(description: str, default: Any = PydanticUndefined, *, low: int = 1, high: int = MAX_COUNT) -> Any:
    return number(description, "count", default, low=low, high=high)


def per_node(description: str) -> Any:
    """One number for each node; left out: zeros (filled in before the table is checked)."""
    return Field((), description=f"{description}; one number for each node, left out: zeros",
                 json_schema_extra={"unit": "MiB"})  # fmt: skip


def tables(description: str, *, least: int = 0, most: int | None = None) -> Any:
    """A list of tables ([[name]] in TOML)."""
    default = PydanticUndefined if least else ()
    return Field(default, description=description, strict=False, min_length=least or None, max_length=most)


def text(description: str, default: Any = PydanticUndefined) -> Any:
    return Field(default, description=description, json_schema_extra={"unit": "text"})


def one_of(description: str, default: Any = PydanticUndefined) -> Any:
    return Field(default, description=description, json_schema_extra={"unit": "choice"})


def wrong(field: str, found: object, wanted: str) -> PydanticCustomError:
    """The error of a rule that spans fields; `field` is relative to the table that raises it."""
    context = {"field": field, "found": found if isinstance(found, str) else repr(found), "wanted": wanted}
    return PydanticCustomError("wrong", "{field}: found {found}, wanted {wanted}", context)
