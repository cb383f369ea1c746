"""Cameras by name, with what is to be done about each: cameras.yaml of a project, or the file that a user names.

    door:
      source: rtsp://10.0.0.5/stream1       # any word that `vigil detect` takes; a path is relative to this file
      user: admin                           # of the camera, and its password
      password: "..."
      kind: mjpeg                           # of an http address: mjpeg or hls, so that nobody has to ask it
      models: [panic, pose_cnn]             # detectors; else those of the command
      zones: [[[0, 0.3], [1, 0.3], [1, 1], [0, 1]]]   # polygons, in shares of the picture; else all of it
      hours: ["22:00-06:00", "sun 00:00-24:00"]       # in which alerts are raised; else always
      time_zone: Europe/Berlin              # of these hours; else that of this machine
      calibration: {panic: door.calibration.json}     # what `vigil calibrate` has made for this camera

Only its owner should have the right to read such a file. Errors name the line, and show nothing that may be secret.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from vigil.capture.hours import Hours, find_zone, read_hours
from vigil.core.counts import count
from vigil.core.errors import VigilError, near_miss
from vigil.core.params import Frozen

FILE = "cameras.yaml"
SECRET = frozenset({"source", "user", "password"})  # keys whose values are never shown
Point = tuple[float, float]
Polygon = tuple[Point, ...]
Word = Annotated[str, Field(min_length=1)]


def _refuse_flat_list(polygons: Any) -> Any:
    """One polygon where a list of polygons is expected: the commonest mistake."""
    if (
        isinstance(polygons, tuple)
        and polygons
        and all(
            isinstance(point, tuple) and len(point) == 2 and all(isinstance(share, int | float) for share in point)
            for point in polygons
        )
    ):
        raise ValueError("a polygon where a list of polygons is expected: put it into one more pair of brackets")
    return polygons


def _check_polygons(polygons: tuple[Polygon, ...]) -> tuple[Polygon, ...]:
    if not polygons:
        raise ValueError("no polygon; leave the key out to look at all of the picture")
    for number, polygon in enumerate(polygons):
        if len(polygon) < 3:
            raise ValueError(
                f"polygon {number + 1} has {count(len(polygon), 'point')}; expected at least 3, each [x, y]"
            )
        if any(not 0 <= share <= 1 for point in polygon for share in point):
            raise ValueError(f"polygon {number + 1} leaves the picture; expected shares of its sides, from 0 to 1")
        pairs = zip(polygon, (*polygon[1:], polygon[0]), strict=True)
        if not any(abs(x - polygon[0][0]) > 0 for x, _ in polygon) or not abs(
            sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs)
        ):
            raise ValueError(f"polygon {number + 1} encloses nothing; its points lie on a line")
    return polygons


def _check_hours(texts: tuple[str, ...]) -> tuple[str, ...]:
    if not texts:
        raise ValueError("no span; leave the key out to watch at all hours")
    read_hours(texts)
    return texts


def _check_zone(name: str) -> str:
    find_zone(name)
    return name


def _write_number(source: Any) -> Any:
    """A webcam is a number, which YAML does not take for a word."""
    return str(source) if type(source) is int else source


class CameraEntry(Frozen):
    """A camera in the file."""

    source: Annotated[Word, BeforeValidator(_write_number)]
    user: str = ""
    password: str = ""
    kind: Literal["mjpeg", "hls"] | None = None
    models: Annotated[tuple[Word, ...], Field(min_length=1)] | None = None
    zones: Annotated[
        Annotated[tuple[Polygon, ...], AfterValidator(_check_polygons)] | None, BeforeValidator(_refuse_flat_list)
    ] = None
    hours: Annotated[tuple[str, ...], AfterValidator(_check_hours)] | None = None
    time_zone: Annotated[str, AfterValidator(_check_zone)] | None = None
    calibration: Mapping[str, str] = Field(default_factory=dict)  # file by model

    @model_validator(mode="after")
    def _has_hours_of_its_zone(self) -> "CameraEntry":
        if self.time_zone is not None and self.hours is None:
            raise ValueError("'time_zone' without 'hours': nothing depends on it")
        return self

    @property
    def watched_hours(self) -> Hours | None:
        """When alerts are raised; None: at all hours."""
        return None if self.hours is None else read_hours(self.hours, self.time_zone)


def load_cameras(path: Path) -> Mapping[str, CameraEntry]:
    """The cameras of a file, in its order; VigilError where there is none, or something is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise VigilError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'no text'}.") from None
    node, payload = _parse(text, path.name)
    _refuse_twins(node, path.name)
    cameras = {}
    for name, entry in payload.items():
        _refuse_path(str(name), node, path.name)
        try:
            camera = CameraEntry.model_validate(_freeze(entry))
        except ValidationError as error:
            raise VigilError(_explain(error, node, str(name), path.name)) from None
        cameras[str(name)] = camera.model_copy(update=_resolve(camera, path.parent))
    return cameras


def _parse(text: str, where: str) -> tuple[Any, dict[Any, Any]]:
    """The file as nodes, which know their lines, and as plain Python."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    def reader() -> YAML:
        yaml = YAML(typ="safe", pure=True)
        yaml.allow_duplicate_keys = True  # `_refuse_twins` says which, and shows no value
        return yaml

    try:
        node, payload = reader().compose(text), reader().load(text)
    except YAMLError as error:
        position = re.search(r"line (\d+), column \d+", str(error))
        raise VigilError(f"{where}{f' line {position[1]}' if position else ''}: not valid YAML.") from None
    if payload is None:
        return node, {}
    if not isinstance(payload, dict):
        raise VigilError(f"{where} line 1: expected cameras by name, as in `door: {{source: ...}}`.")
    return node, payload


def _refuse_path(name: str, node: Any, where: str) -> None:
    """What is seen of a camera is kept in a folder of its name, which lies in that of the evidence and nowhere else."""
    if not name.strip(". ") or any(letter in "/\\" or not letter.isprintable() for letter in name):
        raise VigilError(
            f"{where} line {_find_line(node, [name])}: a camera named {name!r}: its pictures lie in a folder of that "
            "name: leave out / and \\, and give it a letter or a digit."
        )


def _refuse_twins(node: Any, where: str) -> None:
    """Names of cameras also name folders, which on some disks do not tell A from a."""
    lines: dict[str, int] = {}
    for key, value in _pairs(node):
        if (other := lines.get(key.value.casefold())) is not None:
            raise VigilError(f"{where} line {_line(key)}: a second camera '{key.value}'; the first is in line {other}.")
        lines[key.value.casefold()] = _line(key)
        keys = set[str]()
        for inner, _ in _pairs(value):
            if inner.value in keys:
                raise VigilError(f"{where} line {_line(inner)} [{key.value}]: a second '{inner.value}'.")
            keys.add(inner.value)


def _explain(error: ValidationError, node: Any, name: str, where: str) -> str:
    """The first problem in one line, with the place in the file."""
    problem = error.errors()[0]
    path = [name, *(str(step) for step in problem["loc"])]
    entry = f"{where} line {_find_line(node, path)} [{name}]"
    key = ".".join(path[1:])
    if problem["type"] == "extra_forbidden":
        return f"{entry}: unknown key '{key}'. Known: {', '.join(CameraEntry.model_fields)}." + near_miss(
            path[-1], CameraEntry.model_fields
        )
    if problem["type"] == "missing":
        return f"{entry}: missing key '{key}'." if len(path) == 2 else f"{entry}: {key}: too few values."
    if not key:
        keys = ", ".join(CameraEntry.model_fields)
        message = problem["msg"].removeprefix("Value error, ")
        return f"{entry}: {message}." if problem["type"] == "value_error" else f"{entry}: expected keys {keys}."
    message = problem["msg"].removeprefix("Value error, ").replace("tuple", "list")
    shown = "" if path[1] in SECRET or isinstance(problem["input"], dict | tuple) else f" = {problem['input']}"
    return f"{entry}: {key}{shown}: {message[0].lower()}{message[1:]}."


def _find_line(node: Any, path: Sequence[str]) -> int:
    """Where a key is, or else the nearest that it would be in."""
    line = 1
    for step in path:
        children = {key.value: (key, value) for key, value in _pairs(node)}
        if step in children:
            key, node = children[step]
            line = _line(key)
        elif step.isdecimal() and isinstance(getattr(node, "value", None), list) and int(step) < len(node.value):
            node = node.value[int(step)]
            line = _line(node) if not isinstance(node, tuple) else line
        else:
            break
    return line


def _pairs(node: Any) -> Iterator[tuple[Any, Any]]:
    """Keys and values of a mapping's node; nothing of another."""
    values = getattr(node, "value", None)
    if getattr(node, "id", "") == "mapping" and isinstance(values, list):
        yield from values


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _freeze(value: Any) -> Any:
    """Lists as tuples, and whole numbers among points as they are meant."""
    if isinstance(value, dict):
        return {str(key): _freeze(item) for key, item in value.items()}
    return tuple(_freeze(item) for item in value) if isinstance(value, list) else value


def _resolve(camera: CameraEntry, folder: Path) -> dict[str, Any]:
    """Paths in the file are relative to it."""
    source = camera.source
    is_path = "://" not in source and not source.isdecimal() and source != "-"
    calibration = {model: str(folder / Path(file).expanduser()) for model, file in camera.calibration.items()}
    return {"source": str(folder / Path(source).expanduser()) if is_path else source, "calibration": calibration}
