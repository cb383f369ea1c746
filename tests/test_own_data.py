"""Data of one's own alone, of every kind, in a workspace and under real DVC: models, or what is missing for them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import corpora
import pytest
import videos
from scratch import Workspace
from videos import walk
from web import Site

from vigil.core.skipping import why_skipped
from vigil.core.storage import read_json


def folder_of_two(root: Path) -> None:
    for number in range(7):
        walk(root / f"videos/normal/{number}.mp4")
        walk(root / f"videos/anomaly/{number}.mp4", fast=True)


def folder_of_classes(root: Path) -> None:
    for number in range(6):
        for label in ("normal", "theft", "assault", "jaywalking"):
            walk(root / f"videos/{label}/{number}.mp4", fast=label != "normal")


def labels_csv(root: Path) -> None:
    rows = ["video,label,start_s,stop_s,source,split"]
    for number in range(7):
        walk(root / f"videos/till/{number}.mp4", fast=number % 2 == 1)
        walk(root / f"videos/door/{number}.mp4")
        rows.append(f"till/{number}.mp4,theft,1.5,3,till-{number},")
        rows.append(f"door/{number}.mp4,normal,,,door-{number},")
    (root / "videos/labels.csv").write_text("\n".join(rows) + "\n")


def fights(root: Path) -> None:
    rows = ["path,label,source"]
    for number in range(7):
        for kind, label in (("fight/fi", "fight"), ("noFight/nofi", "normal")):
            name = f"{kind}{number:03}.mp4"
            walk(root / f"fights/{name}", fast=label == "fight", frames=20)
            rows.append(f"{name},{label},yt-{label}-{number}")
    (root / "fights/clips.csv").write_text("\n".join(rows) + "\n")


def ucf_crime(root: Path) -> None:
    lines = []
    for number in range(5):
        name = f"Robbery{number:03}_x264.mp4"
        walk(root / f"UCF_Crimes/Anomaly-Videos-Part-1/Robbery/{name}", fast=True)
        walk(root / f"UCF_Crimes/Training-Normal-Videos-Part-1/Normal_Videos{number:03}_x264.mp4")
        if number < 3:
            lines.append(f"{name}  Robbery  8  24  -1  -1  ")
            tested = f"Normal_Videos_1{number:02}_x264.mp4"
            walk(root / f"UCF_Crimes/Testing_Normal_Videos_Anomaly/{tested}")
            lines.append(f"{tested}  Normal  -1  -1  -1  -1  ")
    for number in range(5, 8):
        walk(root / f"UCF_Crimes/Anomaly-Videos-Part-1/Robbery/Robbery{number:03}_x264.mp4", fast=True)
        walk(root / f"UCF_Crimes/Training-Normal-Videos-Part-1/Normal_Videos{number:03}_x264.mp4")
    (root / "UCF_Crimes/Temporal_Anomaly_Annotation.txt").write_text("\n".join(lines) + "\n")


def landmarks(root: Path) -> None:
    lines = []
    for label in ("0", "1", "2", "3"):
        for number in range(10):
            start = 1000 * (10 - number)  # where numbers fall another take begins
            lines += corpora.landmarks(label, range(start, start + 200, 10), x=100.0 + 40 * number + 7 * int(label))
    corpora.write_landmarks(root / "landmarks.csv", lines)


def frame_folders(root: Path) -> None:
    rows = ["folder_name,type,source"]
    for number in range(7):
        videos.images(root / f"frames/walk{number}", range(50 * number, 50 * number + 30))
        still = 1000 * (100 + 37 * number)  # `step` pictures in a row are alike
        videos.images(root / f"frames/still{number}", range(still, still + 30), step=1000)
        rows += [f"walk{number},dynamic,w{number}", f"still{number},static,s{number}"]
    (root / "frames/data.csv").write_text("\n".join(rows) + "\n")


JOURNEYS: dict[str, tuple[Callable[[Path], None], Sequence[str], set[str]]] = {
    "folder of normal and anomaly": (folder_of_two, ["own_folder"], {"panic", "i3d", "crime_gate"}),
    "class folders": (folder_of_classes, ["own_folder"], {"panic", "i3d", "crime_gate"}),
    "labels.csv": (labels_csv, ["own_folder"], {"panic", "i3d", "crime_gate"}),
    "fights": (fights, ["fights"], {"panic", "i3d", "crime_gate"}),
    "UCF-Crime": (ucf_crime, ["ucf_crime"], {"panic", "i3d", "crime_gate"}),
    "landmarks alone": (landmarks, ["landmarks"], {"pose_lstm", "pose_cnn"}),
    "frame folders": (frame_folders, ["frame_folders"], {"activity", "i3d", "crime_gate"}),
}


def come_to_the_table(workspace: Workspace, trained: set[str]) -> str:
    """Runs the pipeline; every model is judged or skipped with a reason, everywhere it is looked for."""
    workspace.vigil("sync")
    workspace.vigil("repro")
    models = read_json(workspace.folder / "metrics/summary.json")["models"]
    reasons = {name: model.get("reason") for name, model in models.items() if model["value"] is None}
    assert models.keys() - reasons.keys() == trained, reasons
    table = workspace.vigil("results").stdout
    report = workspace.read("metrics/report.html").decode()
    for name, reason in reasons.items():
        assert reason.startswith("skipped: "), name
        assert why_skipped(workspace.folder / f"metrics/models/{name}.json") is not None
        assert f"Mind: {name}: skipped: " in table
    assert "skipped: " in report or not reasons
    assert workspace.repro() == [], "nothing is left to do"
    return table


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("journey", JOURNEYS)
def test_data_of_any_kind_come_to_the_table_alone(journey: str, pretrained: Path, tmp_path: Path) -> None:
    draw, presets, trained = JOURNEYS[journey]
    workspace = Workspace(tmp_path / "own", pretrained, *presets, "light")
    draw(workspace.folder)
    workspace.commit("Own data")
    table = come_to_the_table(workspace, trained)
    assert ("jaywalking" in table.partition("| videos")[0]) == (journey == "class folders"), "a label nobody names"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    for number in range(7):
        walk(tmp_path / f"site/normal{number}.mp4")
        walk(tmp_path / f"site/odd{number}.mp4", fast=True)
    with Site(tmp_path / "site") as running:
        yield running


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_playlist_comes_to_the_table_alone(site: Site, pretrained: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "own", pretrained, "playlist", "light")
    sections = workspace.read_params()
    sections["datasets"]["web"] |= {
        "videos": [
            {"playlist": site.page("normal.html", [f"normal{number}.mp4" for number in range(7)]), "label": "normal"},
            {"playlist": site.page("odd.html", [f"odd{number}.mp4" for number in range(7)]), "label": "anomaly"},
        ],
        "sleep_s": 0,
    }
    workspace.write_params(sections)
    come_to_the_table(workspace, {"panic", "i3d", "crime_gate"})
