"""What the sections of the report are put together from."""

from collections.abc import Mapping, Sequence
from typing import Any

from vigil.report.markup import Markup, element, join
from vigil.report.plots import COLOURS
from vigil.report.results import NOTHING, number, within, word

WORDY = ("what it is", "the same without a model")


def section(anchor: str, title: str, *children: object) -> Markup:
    return element(
        "section", element("h2", title, id=f"{anchor}-title"), *children, id=anchor, aria_labelledby=f"{anchor}-title"
    )


def table(caption: str, head: Sequence[object], rows: Sequence[Sequence[object]]) -> Markup:
    """The first cell of a row names it. Wider than the page, it scrolls on its own, with the keyboard too."""
    lines = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            *(cell if _is_cell(cell) else element("td", cell) for cell in row[1:]),
        )
        for row in rows
    ]
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element(
                "thead", element("tr", *(name if _is_cell(name) else element("th", name, scope="col") for name in head))
            ),
            element("tbody", *lines),
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def scrolling(inside: Markup, told: str) -> Markup:
    return element("div", inside, class_="scroll", tabindex="0", role="region", aria_label=told)


def words(text: object) -> Markup:
    """A cell that holds a sentence."""
    return element("td", text, class_="words")


def folded(summary: object, *children: object, opened: bool = False) -> Markup:
    return element("details", element("summary", summary), *children, open=opened)


def note(*sentences: object) -> Markup:
    return element("div", *(element("p", sentence) for sentence in sentences), class_="note")


def figure(picture: Markup | None, caption: object) -> Markup | None:
    return None if picture is None else element("figure", picture, element("figcaption", caption))


def image(address: str | None, told: str, width: int | None = None) -> Markup | None:
    return None if address is None else element("img", src=address, alt=told, width=width, decoding="async")


def swatch(name: str, colour: int) -> Markup:
    return join([element("span", class_=f"swatch c{colour % COLOURS}", aria_hidden="true"), name])


def value(metric: Mapping[str, Any] | None, name: str) -> Markup:
    """A number, and its interval in small below it."""
    if not metric or metric.get("value") is None:
        return element("td", NOTHING, title=(metric or {}).get("reason"))
    return element("td", number(metric["value"], name), element("small", span) if (span := within(metric)) else None)


def metrics_table(caption: str, told: Mapping[str, Any]) -> Markup:
    """Every metric of a model's file with what needs no model beside it."""
    baselines = told.get("baselines", {})
    rows = []
    for name, metric in told.items():
        if not isinstance(metric, Mapping) or "value" not in metric:
            continue
        beside = [
            f"{baseline.replace('_', ' ')} {number(of[name]['value'], name)}"
            for baseline, of in sorted(baselines.items())
            if name in of and of[name].get("value") is not None
        ]
        meaning = metric.get("reason") if metric["value"] is None else word(name).meaning
        rows.append(
            [word(name).name, value(metric, name), metric.get("n", ""), words(meaning or ""), words(", ".join(beside))]
        )
    return table(
        caption,
        ["metric", "value", "sources", *(element("th", name, scope="col", class_="words") for name in WORDY)],
        rows,
    )


def facts(pairs: Sequence[tuple[str, object]]) -> Markup:
    return element(
        "dl", *(element("div", element("dt", name), element("dd", what)) for name, what in pairs), class_="facts"
    )


def count(many: int, noun: str, plural: str | None = None) -> str:
    return f"{many:,} {noun if many == 1 else plural or noun + 's'}"


def seconds(value: float) -> str:
    return f"{value:.1f} s"


def _is_cell(child: object) -> bool:
    return isinstance(child, Markup) and child.startswith(("<td", "<th"))
