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
        """Validate a section of params.yaml (or any mapping); `where` names it in the error."""
        try:
            return cls.model_validate(_tuples(section))
        except ValidationError as error:
            raise VigilError(f"{where}: {' '.join(_explain(cls, section, error))}") from None

    @classmethod
    def problems(cls, section: object, where: str) -> list[str]:
        """All that `read` would refuse, one line each; empty where it would refuse nothing."""
        try:
            cls.model_validate(_tuples(section))
        except ValidationError as error:
            return [f"{where}: {line}" for line in _explain(cls, section, error)]
        return []


def load(path: Path) -> dict[str, Any]:
    """All of params.yaml as plain Python. YAML 1.2, so that 1e-2 is a number as it is to DVC."""
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


def _tuples(value: Any) -> Any:
    """Lists become tuples, so that a frozen record is frozen all the way down."""
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_tuples(item) for item in value)
    return value


def _names(cls: type[BaseModel]) -> str:
    return ", ".join(sorted(cls.model_fields))


def _explain(cls: type[BaseModel], section: object, error: ValidationError) -> list[str]:
    """A sentence for every problem, the first words being the key and the value that was found."""
    if not isinstance(section, Mapping):
        return [f"expected keys {_names(cls)}, found {'nothing' if section is None else repr(section)}."]
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"])
        if not key:  # of the section as a whole, and it names the keys itself
            lines.append(f"{item['msg'].removeprefix('Value error, ')}.")
        elif item["type"] == "extra_forbidden":
            record = _record_at(cls, item["loc"][:-1])
            hint = near_miss(str(item["loc"][-1]), record.model_fields)
            lines.append(f"unknown key '{key}'. Known: {_names(record)}.{hint}")
        elif item["type"] == "missing":
            lines.append(f"missing key '{key}'. Expected: {_names(_record_at(cls, item['loc'][:-1]))}.")
        else:
            message = item["msg"].removeprefix("Value error, ")
            hint = ""
            if item["type"] == "literal_error":
                allowed = [word.strip("' ") for word in item["ctx"]["expected"].replace(" or ", ", ").split(", ")]
                hint = near_miss(str(item["input"]), allowed)
            shown = "" if isinstance(item["input"], Mapping) else f" = {item['input']!r}"  # a section is too long
            lines.append(f"{key}{shown}: {message[0].lower()}{message[1:]}.{hint}")
    return lines


def _record_at(cls: type[BaseModel], path: Sequence[int | str]) -> type[BaseModel]:
    """The record in which a key lies, as far as it can be followed by names."""
    for name in path:
        inner = cls.model_fields[name].annotation if name in cls.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return cls
        cls = inner
    return cls
