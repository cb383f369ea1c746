"""Typed, frozen, validated parameters: what is wrong is said in one line that names the key and the near miss."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from vigil.core.errors import VigilError, near_miss


class Frozen(BaseModel):
    """A record of parameters. Ranges ride in the annotation: `Annotated[int, Field(ge=1)]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def read(cls, section: object, where: str) -> Self:
        """Validates a section of params.yaml (or any mapping); `where` names it in the error."""
        try:
            return cls.model_validate(_freeze_lists(section))
        except ValidationError as error:
            raise VigilError(f"{where}: {' '.join(_explain(cls, section, error))}") from None

    @classmethod
    def problems(cls, section: object, where: str) -> list[str]:
        """Returns what `read` would refuse, one line each; empty where it would refuse nothing."""
        try:
            cls.model_validate(_freeze_lists(section))
        except ValidationError as error:
            return [f"{where}: {line}" for line in _explain(cls, section, error)]
        return []


def load(path: Path) -> dict[str, Any]:
    """Reads all of params.yaml as plain Python, by YAML 1.2, in which 1e-2 is a number as it is to DVC."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if not path.exists():
        raise VigilError(f"{path}: not found in {Path.cwd()}. Run vigil and dvc in the project's folder.")
    try:
        data = YAML(typ="safe", pure=True).load(path)
    except YAMLError as error:
        raise VigilError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise VigilError(f"{path}: expected sections, found {data!r}.")
    return data


def _freeze_lists(value: Any) -> Any:
    """Turns lists into tuples, so that a frozen record is frozen all the way down."""
    if isinstance(value, Mapping):
        return {key: _freeze_lists(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_freeze_lists(inner) for inner in value)
    return value


def _field_names(cls: type[BaseModel]) -> str:
    return ", ".join(sorted(cls.model_fields))


def _explain(cls: type[BaseModel], section: object, error: ValidationError) -> list[str]:
    """Returns a sentence for every problem; it begins with the key and its value."""
    if not isinstance(section, Mapping):
        return [f"expected keys {_field_names(cls)}, found {'nothing' if section is None else repr(section)}."]
    lines = []
    for problem in error.errors():
        key = ".".join(str(name) for name in problem["loc"])
        if not key:  # of the section as a whole, and it names the keys itself
            lines.append(f"{problem['msg'].removeprefix('Value error, ')}.")
        elif problem["type"] == "extra_forbidden":
            record = _record_at(cls, problem["loc"][:-1])
            hint = near_miss(str(problem["loc"][-1]), record.model_fields)
            lines.append(f"unknown key '{key}'. Known: {_field_names(record)}.{hint}")
        elif problem["type"] == "missing":
            lines.append(f"missing key '{key}'. Expected: {_field_names(_record_at(cls, problem['loc'][:-1]))}.")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            hint = ""
            if problem["type"] == "literal_error":
                allowed = [word.strip("' ") for word in problem["ctx"]["expected"].replace(" or ", ", ").split(", ")]
                hint = near_miss(str(problem["input"]), allowed)
            value = "" if isinstance(problem["input"], Mapping) else f" = {problem['input']!r}"  # a section is too long
            lines.append(f"{key}{value}: {message[0].lower()}{message[1:]}.{hint}")
    return lines


def _record_at(cls: type[BaseModel], path: Sequence[int | str]) -> type[BaseModel]:
    """Returns the record in which a key lies, or the last one to which names alone lead."""
    for name in path:
        inner = cls.model_fields[name].annotation if name in cls.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return cls
        cls = inner
    return cls
