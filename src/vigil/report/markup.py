"""HTML and SVG as text that nobody's file name can break: whatever is not markup already is escaped."""

import html
from collections.abc import Iterable
from typing import Any

VOID = frozenset({"br", "circle", "col", "img", "line", "link", "meta", "path", "polygon", "polyline", "rect"})


class Markup(str):
    """Text that is markup, and is put in as it is."""

    __slots__ = ()


def element(name: str, /, *children: object, **attributes: Any) -> Markup:
    """`<name ...>children</name>`. Of a key a last `_` is dropped, others are `-`; None and False leave it out."""
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{html.escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID:
        return Markup(f"<{name}{given}/>")
    return Markup(f"<{name}{given}>{join(children)}</{name}>")


def join(children: Iterable[object], between: str = "") -> Markup:
    """One after the other; None is nothing."""
    return Markup(between.join(_told(child) for child in children if child is not None))


def _told(child: object) -> str:
    if isinstance(child, Markup):
        return str(child)
    if isinstance(child, list | tuple):
        return join(child)
    return html.escape(str(child))
