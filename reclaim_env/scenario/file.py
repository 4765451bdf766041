"""A TOML file by a stranger: read with a cap on size and depth, its mistakes told in one line."""

import errno
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

MAX_FILE_BYTES = 256 * 1024
MAX_DEPTH = 16
MAX_PIECES = 20_000
MAX_SHOWN = 60

# A string left open runs to the end of its line (or of the text): there tomllib stops anyway, and
# the scan stays linear.
STRING_OR_COMMENT = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'''.*?(?:'''|\Z)"
    r'|"(?:\\[^\n]|[^"\\\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|\#[^\n]*+",
    re.DOTALL,
)
KEY_END = re.compile(r"[=,{}\[\]]")
BRACKET = re.compile(r"[\[\]{}]")
PIECE = re.compile(r"[.=,{\[]")


class ScenarioError(ValueError):
    """One line: file, field, what was found, what was wanted."""

    def __init__(self, file: str, field: str, found: str, wanted: str):
        self.file, self.field, self.found, self.wanted = file, field, found, wanted
        parts = [
            shortened(printable(part), most)
            for part, most in ((file[-120:], 100), (field, MAX_SHOWN))
            if part
        ]
        super().__init__(f"{': '.join(parts)}: found {printable(found)}, wanted {printable(wanted)}")


def printable(text: str) -> str:
    """No control character of a stranger's file reaches the terminal, and no line break."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: object) -> str:
    """A value as an error shows it. Large numbers are not spelled out: Python refuses some."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple) and any(isinstance(item, dict | list | tuple) for item in value):
        return f"a list of {len(value)}"
    return shortened(repr(value), MAX_SHOWN)


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def suggestion(word: str, known: Sequence[str]) -> str:
    """ "`x`" for the nearest known word, or the words."""
    close = get_close_matches(word[:64], known, n=1, cutoff=0.5)
    return f"`{close[0]}`" if close else f"one of {', '.join(known)}"


def read_text(path: str | PathLike[str]) -> str:
    file = str(path)
    try:
        content = _content(Path(path))
    except (FileNotFoundError, ValueError):  # ValueError: a NUL in the path
        raise ScenarioError(file, "", "no such file", "a readable file") from None
    except OSError as error:
        raise ScenarioError(file, "", error.strerror or "an error", "a readable file") from None
    if len(content) > MAX_FILE_BYTES:
        raise ScenarioError(file, "", f"more than {MAX_FILE_BYTES} bytes", f"at most {MAX_FILE_BYTES}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError(file, f"byte {error.start}", "a byte that is not UTF-8", "UTF-8 text") from None


def _content(path: Path) -> bytes:
    """One byte above the cap tells that there is more. Besides files only pipes: a device may have no end."""
    if path.is_dir():
        raise OSError(errno.EISDIR, "a folder")
    if path.exists() and not path.is_file() and not path.is_fifo():
        raise OSError(errno.ENODEV, "a device")
    with path.open("rb") as stream:
        return stream.read(MAX_FILE_BYTES + 1)


def parse_toml(text: str, file: str) -> dict[str, Any]:
    if len(text) > MAX_FILE_BYTES:
        raise ScenarioError(file, "", f"more than {MAX_FILE_BYTES} bytes", f"at most {MAX_FILE_BYTES}")
    _refuse_work(text, file)
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and int() of thousands of digits
        place = re.search(r" \(at (.*)\)$", str(error))
        field = place.group(1) if place else ""
        reason = str(error)[: place.start()] if place else str(error)
        raise ScenarioError(file, field, reason.partition(":")[0].lower(), "valid TOML") from None


def _refuse_work(text: str, file: str) -> None:
    """tomllib takes time quadratic in the dots of a key, recurses for brackets, and is slow for each key."""
    bare = STRING_OR_COMMENT.sub(lambda match: "s" + "\n" * match.group().count("\n"), text)
    pieces = len(PIECE.findall(bare))
    if pieces > MAX_PIECES:
        raise ScenarioError(file, "", f"{pieces} keys and items", f"at most {MAX_PIECES}")
    brackets = 0
    for line_number, line in enumerate(bare.split("\n"), start=1):
        depth = max(piece.count(".") for piece in KEY_END.split(line)) if "." in line else 0
        for bracket in BRACKET.findall(line) if line else ():
            brackets += 1 if bracket in "[{" else -1
            depth = max(depth, brackets)
        if depth > MAX_DEPTH:
            raise ScenarioError(file, f"line {line_number}", "deeper nesting", f"at most {MAX_DEPTH} levels")


def translate(error: ValidationError, file: str, data: object, model: type[BaseModel]) -> ScenarioError:
    """One of the mistakes pydantic found, as our one line: an unknown key explains a missing one."""
    first = min(error.errors(include_url=False), key=lambda mistake: mistake["type"] != "extra_forbidden")
    field = field_path(first["loc"], data)
    if first["type"] == "wrong":
        context = first.get("ctx", {})
        inner = ".".join(part for part in (field, context["field"]) if part)
        return ScenarioError(file, inner, context["found"], context["wanted"])
    if first["type"] == "extra_forbidden":
        return ScenarioError(file, field, "an unknown field", _known_field(first["loc"], model))
    found = "nothing" if first["type"] == "missing" else shown(first["input"])
    return ScenarioError(file, field, found, _wanted(first, model))


def field_path(loc: Sequence[int | str], data: object) -> str:
    """`reader.web.file.0.mib`: a table in a list goes by its name where it has one."""
    parts = []
    for step in loc:
        data = _child(data, step)
        name = data.get("name") if isinstance(step, int) and isinstance(data, dict) else None
        parts.append(name if isinstance(name, str) and 0 < len(name) <= 64 else str(step))
    return ".".join(parts)


def _child(data: object, step: int | str) -> object:
    if isinstance(data, dict):
        return data.get(step)
    if isinstance(data, list | tuple) and isinstance(step, int) and step < len(data):
        return data[step]
    return None


def _models(loc: Sequence[int | str], model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The tables on the way to a field."""
    yield model
    for step in loc:
        field = model.model_fields.get(step) if isinstance(step, str) else None
        if field is None:
            continue
        inner = field.annotation
        for candidate in (inner, *getattr(inner, "__args__", ())):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                model = candidate
                yield model


def _known_field(loc: Sequence[int | str], model: type[BaseModel]) -> str:
    owner = list(_models(loc[:-1], model))[-1]
    return suggestion(str(loc[-1]), list(owner.model_fields))


def _wanted(first: ErrorDetails, model: type[BaseModel]) -> str:
    if first["type"] == "string_pattern_mismatch":
        return "a name of a-z, 0-9, _ and -, at most 64 characters"
    description, unit = _declared(first["loc"], model)
    if first["type"] == "missing":
        wanted = description
    elif first["type"] == "tuple_type":
        wanted = "a list"
    elif first["type"] == "model_type":
        wanted = "a table"
    else:
        message = re.sub(r" after validation, not .*", "", first["msg"])
        wanted = re.sub(r"^(Input|Tuple|String|Value) should (be |have |match )?(a valid )?", "", message)
    return f"{wanted} ({unit})" if unit else wanted


def _declared(loc: Sequence[int | str], model: type[BaseModel]) -> tuple[str, str]:
    """Description and unit of a field; no unit where the type says it all."""
    names = [step for step in loc if isinstance(step, str)]
    owner = list(_models(loc[:-1], model))[-1]
    field = owner.model_fields.get(names[-1]) if names else None
    if field is None:
        return "this field", ""
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    return field.description or "this field", "" if unit in ("text", "choice", "count") else unit


def write_new(path: Path, text: str) -> None:
    """The whole file or none, and never over another: link() refuses a name that exists."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
            os.link(temporary, path)
        finally:
            os.unlink(temporary)
    except FileExistsError:
        raise ScenarioError(str(path), "", "a file of that name", "a new file") from None
    except OSError as error:
        raise ScenarioError(
            str(path), "", error.strerror or "an error", "a file that can be written"
        ) from None
