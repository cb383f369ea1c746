"""Any videos, through the same features that a model was trained on, in a workspace of its own beside the pipeline.

The settings come from the checkpoint and not from params.yaml. What is computed per video lands in the project's store,
so that the same videos cost nothing the next time.
"""

import contextlib
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigil.cli.labels import UNLABELLED, labelled, without_sync
from vigil.core import lineage, settings
from vigil.core.errors import VigilError, near_miss
from vigil.core.params import load
from vigil.core.storage import load_arrays, read_table, save_arrays
from vigil.engine.per_video import Item, Runtime, each, finish
from vigil.features.landmarks import estimators as joints
from vigil.features.landmarks.estimators import weights_used
from vigil.features.segments import segments as runs
from vigil.features.segments.segments import Scaler
from vigil.footage import sources, video_table
from vigil.footage.listing import local
from vigil.footage.listing.names import slug
from vigil.footage.listing.records import Reject
from vigil.footage.video.measure import measure, measured
from vigil.footage.video_table import Video
from vigil.judging import calibrated, scoring
from vigil.judging.calibrated import Calibrated
from vigil.judging.scoring import Sources
from vigil.judging.stored import Arrays
from vigil.models import checkpoint
from vigil.models.checkpoint import Loaded
from vigil.stages import context, download, flow, frames, landmarks, segments


@dataclass(frozen=True)
class Model:
    """A trained model with its calibration."""

    name: str
    folder: Path
    loaded: Loaded
    calibrated: Calibrated


@dataclass(frozen=True)
class Workspace:
    """Where the features of one trial lie."""

    root: Path

    def __truediv__(self, name: str) -> Path:
        return self.root / name


def opened(model: str, calibration: Path | None = None) -> Model:
    """By name, or by the path of its folder; with a calibration that was made for it."""
    models = settings.root() / "models"
    path = Path(model) if (Path(model) / checkpoint.CONFIG).exists() else models / model
    if not (path / checkpoint.CONFIG).exists():
        known = sorted(each_.parent.name for each_ in models.glob(f"*/{checkpoint.CONFIG}"))
        raise VigilError(f"{model}: no trained model. Known: {', '.join(known) or 'none'}.{near_miss(model, known)}")
    loaded = checkpoint.load(path)
    frozen = calibration or path.with_name("calibration") / f"{path.name}.json"
    found = calibrated.read(frozen)
    found.check(loaded, str(frozen))
    return Model(path.name, path, loaded, found)


def runtime() -> Runtime:
    """As params.yaml has it, where there is one."""
    path = settings.root() / "params.yaml"
    section = load(path).get("runtime") if path.exists() else None
    default = {"executor": "process", "workers": 0, "timeout_s": 600.0, "address": None}
    return Runtime.read(default if section is None else section, "params.yaml [runtime]")


@contextlib.contextmanager
def workspace() -> Iterator[Workspace]:
    """Gone after the block; what was computed stays in the store. What stages print goes to stderr."""
    import tempfile

    settings.home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.home(), prefix="trial-") as root:
        with contextlib.redirect_stdout(sys.stderr):
            yield Workspace(Path(root))


def dataset(
    space: Workspace, place: Path, kind: str | None, options: Mapping[str, Any], labels: Path | None
) -> list[Video]:
    """The videos of a folder, of a table of landmarks, of another kind of source, or of a set of params.yaml."""
    listed = _listed(place, kind, options)
    sources.sync(listed, space / "sources.csv")
    download.main(
        sources=space / "sources.csv",
        raw=space / "raw",
        truth=space / "truth",
        videos=space / "videos.csv",
        rejects=space / "rejects.csv",
        params=download.Params(min_frames=1, max_reject_share=1.0),
        datasets=listed,
        runtime=runtime(),
    )
    for reject in read_table(space / "rejects.csv"):
        print(f"warning: {reject['path']} is left out: {without_sync(reject['reason'])}", file=sys.stderr)
    videos = video_table.read(space / "videos.csv")
    if labels is not None:
        videos = labelled(videos, place.resolve(), labels)
    bare = [one for one in videos if one.label == UNLABELLED]
    if bare:
        print(f"warning: {len(bare)} videos without a label are left out, the first: {bare[0].video}", file=sys.stderr)
    videos = [one for one in videos if one.label != UNLABELLED]
    if not videos:
        raise VigilError(f"{place}: no video has a label. Put them in folders of their class, or give --labels.")
    return videos


def _listed(place: Path, kind: str | None, options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What `datasets` in params.yaml would have, by name: one set, or one for each table in a folder of landmarks."""
    if not place.exists():
        return {place.name: _section(place, kind, options)}
    inside = local.visible(place) if place.is_dir() and kind in (None, "landmark_csv") else []
    tables = [place / path for path in inside if path.lower().endswith(".csv")]
    if any(map(local.is_video, inside)) or not all(map(_of_landmarks, tables)):
        tables = []
    listed: dict[str, dict[str, Any]] = {}
    for path in tables or [place]:
        name = slug(path.resolve().stem if tables else path.resolve().name)[:60].strip("-_") or "trial"
        listed[f"{name}-{len(listed)}" if name in listed else name] = _section(path, kind, options)
    return listed


def _of_landmarks(table: Path) -> bool:
    with table.open(encoding="utf-8-sig", errors="replace") as lines:
        return {"label", "HEAD_X"} <= set(lines.readline().strip().split(","))


def _section(place: Path, kind: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """As `datasets` in params.yaml would have it."""
    params = settings.root() / "params.yaml"
    known = (load(params).get("datasets") if params.exists() else None) or {}
    if not place.exists():
        if str(place) in known:
            return {**known[str(place)], **options}
        hint = near_miss(str(place), known)
        raise VigilError(
            f"{place}: not found. Name a folder of videos, a table of landmarks, or a set of params.yaml.{hint}"
        )
    if place.is_file() and local.is_video(place.name):
        raise VigilError(
            f"{place}: one single video, and measures need several. Give their folder; --labels names a table of "
            "(video, label, spans) for them."
        )
    kind = kind or ("landmark_csv" if place.suffix.lower() == ".csv" else "folder")
    label = {"label": UNLABELLED} if kind == "folder" else {}
    return {"kind": kind, "path": str(place.resolve()), **label, **options}


def files(space: Workspace, given: Sequence[Path], label: str) -> list[Video]:
    """Videos by path, folders taken as what is in them; all of one label, each a source of its own."""
    paths: list[Path] = []
    for one in given:
        inside = [one / name for name in local.visible(one) if local.is_video(name)] if one.is_dir() else [one]
        if not inside or not one.exists():
            raise VigilError(f"{one}: {'no video in it' if one.exists() else 'not found'}.")
        paths += inside
    root = Path("/")
    names = sorted({path.resolve().relative_to(root).as_posix() for path in paths})
    rows, refused = local.arrive("normal", root, local.listed("normal", root, names), space / "raw")
    items = [Item(row.video, (row.sha256, Path(path).suffix), (root / path, None, ())) for path, row in rows.items()]
    outcomes = each("videos", measure, items, None, runtime())
    for reject in [*refused, *(Reject(one.item.name, one.reason) for one in outcomes if one.reason)]:
        print(f"warning: {reject.path} is left out: {reject.reason}", file=sys.stderr)
    videos = []
    for row, outcome in zip(rows.values(), outcomes, strict=True):
        if not outcome.reason:
            probe = measured(outcome.value)
            exact = (download.decimal(probe.fps), probe.frames, probe.width, probe.height)
            seconds = download.decimal(probe.duration_s)
            videos.append(Video(row.video, row.path, row.source, label, (), "", *exact, seconds, row.sha256))
    if not videos:
        raise VigilError(f"not one of {len(names)} videos can be read.")
    return videos


def scored(model: Model, space: Workspace, videos: Sequence[Video]) -> Arrays:
    """Make the features that the model needs, as it was trained on them, and judge them."""
    card, running = model.loaded.card, runtime()
    made, table = card.features, space / "videos.csv"
    video_table.write(table, videos)
    if card.input != "segments" and not any(one.pictures for one in videos):
        raise VigilError(f"{model.name}: looks at pictures, and these are landmarks alone. Take a pose model.")
    frames.main(
        table, space / "raw", space / "frames", frames.Params.read(made["frames"], f"{model.name}: frames"), running
    )
    if "landmarks" in made:
        if any(one.pictures for one in videos):
            _landmarks(model, space, running)
        else:
            _tables(space, running)
    if card.input == "flow":
        wanted = flow.Params.read(made["flow"], f"{model.name}: flow")
        flow.main(space / "frames", space / "landmarks", space / "flow", wanted, running)
    if card.input == "segments":
        _segments(model, space, running)
    video_table.write(space / "train.csv", [])  # nothing is learnt from them
    context.main(
        table, space / "train.csv", space / "frames", space / "landmarks", space / "flow", space / "context", running
    )
    kind = "frames" if card.input == "attended" else card.input
    gate = _gate(model) if card.input == "attended" else None
    where = Sources(space / kind, space / "context", space / "truth", "test", gate)
    return scoring.table(model.folder, videos, where, model.calibrated.scoring, running)


def _landmarks(model: Model, space: Workspace, running: Runtime) -> None:
    told = dict(model.loaded.card.features["landmarks"])
    trained_on = told.pop("weights")
    wanted = joints.Settings.read(told, f"{model.name}: landmarks")
    person, pretrained = (settings.root() / "models" / name for name in ("person", "pretrained"))
    if list(weights_used(wanted, person, pretrained)) != list(trained_on):
        raise VigilError(
            f"{model.name}: trained on landmarks of other networks than those in models/person and models/pretrained. "
            "Bring those back (`dvc checkout`), or train it again."
        )
    landmarks.main(
        videos=space / "videos.csv",
        raw=space / "raw",
        frames=space / "frames",
        person=person,
        pretrained=pretrained,
        out=space / "landmarks",
        params=wanted,
        runtime=running,
    )


def _tables(space: Workspace, running: Runtime) -> None:
    """Landmarks that came without pictures: no network is asked."""
    items = landmarks.tables(space / "videos.csv", space / "raw", space / "landmarks")
    finish("landmarks", space / "landmarks", each("landmarks", landmarks.convert, items, None, running))
    lineage.record(space / "landmarks", "landmarks", {}, space / "frames")


def _segments(model: Model, space: Workspace, running: Runtime) -> None:
    """As stage `segments` cuts them, scaled as the model's own training split was."""
    told = dict(model.loaded.card.features["segments"])
    scaler = Scaler.of(told.pop("scaler"))
    wanted = runs.Settings.read(told, f"{model.name}: segments")
    video_table.write(space / "none.csv", [])
    with contextlib.redirect_stderr(io.StringIO()):  # it would miss segments to train on
        segments.main(
            train=space / "none.csv",
            val=space / "none.csv",
            test=space / "videos.csv",
            frames=space / "frames",
            landmarks=space / "landmarks",
            truth=space / "truth",
            out=space / "segments",
            params=wanted,
            runtime=running,
        )
    path = space / "segments/test.npz"
    arrays = load_arrays(path)
    x = runs.features(arrays["poses"], arrays["time_s"], arrays["source_size"], wanted, scaler)
    save_arrays(path, **arrays | {"x": x})


def _gate(model: Model) -> Path:
    """The gate that the model was trained behind."""
    sha256 = model.loaded.card.features["attended"]["gate"]
    for path in (settings.root() / "data/attended/gate", settings.root() / "models/crime_gate"):
        if (path / checkpoint.CONFIG).exists() and checkpoint.load(path).sha256 == sha256:
            return path
    raise VigilError(
        f"{model.name}: the crime_gate that it was trained behind ({sha256[:12]}) is neither in data/attended/gate nor "
        "in models/crime_gate. Bring it back (`dvc checkout`)."
    )
