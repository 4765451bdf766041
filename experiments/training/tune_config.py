"""What `reclaim tune` was asked to do: a training config, and the ranges of what is searched."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from ..wording import visible
from .train_config import config_of, read_config


class Search(BaseModel):
    """Of one field: a range, or a list of values."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)

    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[int | float | str, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _a_range_or_choices(self) -> "Search":
        is_range = self.low is not None and self.high is not None and self.low < self.high
        if is_range == bool(self.choices):
            raise ValueError("wanted low below high, or choices")
        if self.log and (self.low or 0) <= 0:
            raise ValueError("wanted low above 0, as log is true")
        return self

    def suggest(self, trial: Any, name: str, is_whole: bool) -> Any:
        if self.choices:
            return trial.suggest_categorical(name, self.choices)
        if is_whole:
            return trial.suggest_int(name, int(self.low or 0), int(self.high or 0), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)


class TuneConfig(BaseModel):
    """`fields` are those of a TrainConfig; `search` is laid over them, trial by trial."""

    model_config = ConfigDict(frozen=True)

    fields: dict[str, Any]
    search: dict[str, Search]

    def asked(self, trial: Any) -> dict[str, Any]:
        whole = {
            name for name, value in config_of(self.fields).model_dump().items() if isinstance(value, int)
        }
        found = {name: one.suggest(trial, name, name in whole) for name, one in self.search.items()}
        return self.fields | found


def read_tune_config(path: Path) -> TuneConfig:
    """A ValueError of one line where a field is wrong, or where nothing is searched or validated."""
    fields, where = read_config(path), f"--config: {visible(str(path))}: "
    try:
        search = TypeAdapter(dict[str, Search]).validate_python(fields.pop("search", {}))
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, ("search", *first["loc"])))
        raise ValueError(f"{where}{at}: {first['msg'].removeprefix('Value error, ')}") from None
    known = config_of(fields, where).model_dump()
    unknown = [name for name in search if name not in known]
    if unknown or not search:
        found = unknown[0] if unknown else "nothing"
        raise ValueError(f"{where}search: found {visible(found)}, wanted fields of {known['algo']}")
    if not known["validation"]:
        raise ValueError(f"{where}validation: found nothing, wanted members of the validation split")
    return TuneConfig(fields=fields, search=search)
