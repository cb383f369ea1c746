"""Complete parameter files: the project's own with presets laid over it, and those of users with what is new in it.

Both keep the comments, for a number without its unit and reason is half a number.
"""

import re
from collections.abc import Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from vigil.core.errors import VigilError, near_miss

WHOLE = ("classes",)  # of which a layer says all or nothing: classes of two lists would mix
SECTION = re.compile(r"(?<=[^\n])\n(?=[a-z])")  # before which an empty line stands
CHOSEN = ("datasets", "models")  # whose entries are the user's choice: an upgrade brings none back


def lay_over(base: str, layers: Sequence[str]) -> str:
    """Returns `base` with the values and comments of each layer.

    Null in place of settings takes them out, and no later layer brings them back.
    """
    yaml = _yaml()
    params = yaml.load(base)
    removed: set[str] = set()
    for layer in layers:
        _replace(params, yaml.load(layer) or CommentedMap(), removed)
    return _dump(yaml, params)


def add_missing_keys(own: str, base: str) -> str:
    """Returns `own` with the sections and keys of `base` that it lacks; no value of `own` changes."""
    yaml = _yaml()
    params = yaml.load(own)
    _add_missing(params, yaml.load(base), "")
    return _dump(yaml, params)


def set_value(params: str, keys: Sequence[str], value: object) -> str:
    """Returns `params` with one value changed."""
    yaml = _yaml()
    loaded = section = yaml.load(params)
    for key in keys[:-1]:
        if key not in section:
            raise VigilError(f"params.yaml: no key '{key}'.{near_miss(key, section)}")
        section = section[key]
    section[keys[-1]] = value
    return _dump(yaml, loaded)


def read_keys(params: str) -> dict[str, Any]:
    """All of a parameter file."""
    loaded: dict[str, Any] = _yaml().load(params)
    return loaded


def _replace(params: CommentedMap, layer: CommentedMap, removed: set[str], section: str = "") -> None:
    for key, value in layer.items():
        before, path = params.get(key), f"{section}.{key}"
        if value is None and isinstance(before, CommentedMap):
            del params[key]
            removed.add(path)
        elif isinstance(value, CommentedMap) and isinstance(before, CommentedMap) and key not in WHOLE:
            _replace(before, value, removed, path)
        elif path not in removed:
            params[key] = value
            _take_comment(params, layer, key)


def _take_comment(params: CommentedMap, layer: CommentedMap, key: str) -> None:
    """The comment of a key in `layer`, with the empty lines that follow it in `params`."""
    if key not in layer.ca.items:
        return
    of_layer, of_params = layer.ca.items[key], params.ca.items.get(key)
    token, before = of_layer[2], of_params[2] if of_params else None
    if token is not None:
        text = before.value if before is not None else "\n"
        token.value = token.value.rstrip("\n") + text[len(text.rstrip("\n")) :]
        params.ca.items[key] = of_layer


def _add_missing(params: CommentedMap, base: CommentedMap, section: str) -> None:
    for position, (key, value) in enumerate(base.items()):
        if key in params:
            if isinstance(value, CommentedMap) and isinstance(params[key], CommentedMap) and key not in WHOLE:
                _add_missing(params[key], value, key)
        elif section not in CHOSEN:
            params.insert(min(position, len(params)), key, value)
            if key in base.ca.items:
                params.ca.items[key] = base.ca.items[key]


def _yaml() -> YAML:
    """A reader and writer that changes nothing but what it is told to: no line is broken, no null becomes a gap."""
    yaml = YAML()
    yaml.width = 4096
    yaml.preserve_quotes = True
    yaml.representer.add_representer(
        type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    return yaml


def _dump(yaml: YAML, params: Any) -> str:
    text = StringIO()
    yaml.dump(params, text)
    return SECTION.sub("\n\n", text.getvalue())
