"""A page that shows all recordings of a batch, the abnormal ones first: plain HTML, which needs no server."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from vigil.core.storage import replacing

TEMPLATE = "templates/index.html.j2"


def write_index(folder: Path, verdicts: Sequence[dict[str, Any]]) -> Path:
    """Writes index.html beside the folders of the recordings."""
    ordered = sorted(verdicts, key=lambda verdict: (verdict["verdict"] != "abnormal", -(verdict["confidence"] or 0)))
    cards = [card | {"files": _files(folder, card)} for card in ordered]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files("vigil.evidence").joinpath(TEMPLATE).read_text(encoding="utf-8"))
    path = folder / "index.html"
    with replacing(path) as partial_path:
        partial_path.write_text(template.render(cards=cards), encoding="utf-8")
    return path


def _files(folder: Path, card: dict[str, Any]) -> dict[str, Any]:
    """What lies in the recording's folder, as addresses relative to the page."""
    recording_folder = folder / card["folder"] if card.get("folder") else None
    if recording_folder is None or not recording_folder.is_dir():
        return {"video": None, "timeline": None, "pictures": [], "clips": []}

    def list_files(*names: str) -> list[str]:
        return [path.relative_to(folder).as_posix() for name in names for path in sorted(recording_folder.glob(name))]

    return {
        "video": next(iter(list_files("overlay.mp4")), None),
        "timeline": next(iter(list_files("timeline.png")), None),
        "pictures": list_files("attention_visualization.png", "heatmap_*.png"),
        "clips": list_files("clips/*.mp4"),
    }
