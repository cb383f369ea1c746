"""Single sections of the project's params.yaml, for commands that can do without them."""

from collections.abc import Mapping
from typing import Any

from vigil.core import settings
from vigil.core.params import load
from vigil.engine.per_video import Runtime


def read_runtime() -> Runtime:
    """Section `runtime` of params.yaml, or the defaults where there is no such section."""
    default = {"executor": "process", "workers": 0, "timeout_s": 600.0, "address": None}
    return Runtime.read(read_section("runtime", default), "params.yaml [runtime]")


def read_section(name: str, default: Mapping[str, Any]) -> Any:
    """A section of the project's params.yaml as it is there, unchecked; `default` where there is none."""
    path = settings.root() / "params.yaml"
    section = load(path).get(name) if path.exists() else None
    return default if section is None else section
