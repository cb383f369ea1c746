"""The templates: what they escape, and that they travel with the package and with the stage that fills them."""

import shutil
import tomllib
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from vigil.engine.code_version import Program, code_version
from vigil.report.records import Cell, Picture, Table
from vigil.report.rendering import TEMPLATES, environment, render


def test_text_from_anywhere_is_escaped() -> None:
    parts = environment().get_template("parts.html.j2").module
    table = Table("<caption>", ["<b>"], [[Cell('"><script>', "<small>", '" onclick="', "good", "#a&b")]])
    text = str(parts.table(table))  # type: ignore[attr-defined]
    for inserted in ("<caption><", "<b>", "<script>", "<small><", 'onclick="'):
        assert inserted not in text
    assert 'alt="&#34;&gt;"' in str(parts.picture(Picture("data:,", '">')))  # type: ignore[attr-defined]


def test_a_template_without_one_of_its_records_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="is undefined"):
        render("page.html.j2")


def test_every_template_ships_with_the_package(project: Path) -> None:
    patterns = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    shipped = {path for pattern in patterns["vigil.report"] for path in TEMPLATES.parent.glob(pattern)}
    assert {path for path in TEMPLATES.iterdir() if path.is_file()} <= shipped


def test_a_changed_template_is_another_version_of_the_stage(project: Path, tmp_path: Path) -> None:
    source = tmp_path / "src"
    shutil.copytree(project / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    before = code_version(("vigil.stages.compare", "main"), program=Program(source))
    style = source / "vigil/report/templates/style.css"
    style.write_text(style.read_text() + "p{margin:0}\n")
    assert code_version(("vigil.stages.compare", "main"), program=Program(source)) != before
