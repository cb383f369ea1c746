"""Fills the templates of this room. Text is escaped wherever it comes from; only a template writes markup."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vigil.report.words import format_number, quantity, seconds

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, **records: Any) -> str:
    """Renders a template; a name that it uses and that is not among the records is an error."""
    return environment().get_template(template).render(**records)


@cache
def environment() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {"number": format_number, "quantity": quantity, "seconds": seconds}
    return templates
