"""Changes of whole videos are those of their frames one by one, and nothing is made where nothing can be seen."""

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vigil.core.lineage import read, record
from vigil.core.skipping import why_skipped
from vigil.core.storage import sha256_file
from vigil.engine.per_video import Runtime
from vigil.features import trunk
from vigil.features.frames import FrameArchive, encode_jpeg, save_frames
from vigil.features.networks import middle, nanodet
from vigil.features.times import read_times
from vigil.stages.trunk import Params, main

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
FRAMES, PRETRAINED, OUT = Path("data/frames"), Path("models/pretrained"), Path("data/trunk")
TIMES = [*(Fraction(number, 8) for number in range(4)), *(Fraction(40) + Fraction(number, 8) for number in range(3))]
PARAMS = Params(px=128, nanodet_px=96)


@pytest.fixture(autouse=True)
def footage() -> None:
    """Noise with a pause in it, in two sets."""
    for name in ("s/a", "t/b"):
        noise = np.random.default_rng(len(name) + ord(name[0])).integers(0, 255, (7, 60, 80, 3), dtype=np.uint8)
        rows = ((number, time_s, encode_jpeg(noise[number], 90)) for number, time_s in enumerate(TIMES))
        save_frames(FRAMES / f"{name}.npz", rows, (160, 120))
    record(FRAMES, "frames", {"fps": 8.0})


def run(params: Params = PARAMS) -> None:
    main(frames=FRAMES, pretrained=PRETRAINED, out=OUT, params=params, runtime=SERIAL)


def test_a_file_has_the_changes_of_its_frames_one_by_one(people_networks: Path) -> None:
    shutil.copytree(people_networks, PRETRAINED)
    run()
    look, archive, state = trunk.open_look(PARAMS, PRETRAINED), FrameArchive(FRAMES / "s/a.npz"), None
    changes = np.load(OUT / "s/a.npy")
    assert changes.shape == (7, 2, trunk.CHANNELS) and changes.dtype == np.float16
    for position, image in enumerate(archive.images()):
        state, change = trunk.update(state, image, float(TIMES[position]), look)
        np.testing.assert_array_equal(changes[position], change)
    assert np.flatnonzero(np.isnan(changes[:, 0]).any(axis=1)).tolist() == [0, 4], "nothing is known across the pause"
    assert np.flatnonzero(np.isnan(changes[:, 1]).any(axis=1)).tolist() == [0, 1, 4, 5]
    assert read_times(OUT / "s/a.npz", "trunk") == TIMES
    assert not np.array_equal(np.load(OUT / "t/b.npy"), changes, equal_nan=True)
    digests = {file: sha256_file(PRETRAINED / file) for file in (middle.FILE, nanodet.FILE)}
    assert read(OUT)["trunk"] == {"px": 128, "nanodet_px": 96, "weights": digests}


def test_the_same_frames_give_the_same_bytes(people_networks: Path) -> None:
    shutil.copytree(people_networks, PRETRAINED)
    run()
    before = (OUT / "s/a.npy").read_bytes(), (OUT / "s/a.npz").read_bytes()
    shutil.rmtree(".vigil")
    shutil.rmtree(OUT)
    run()
    assert ((OUT / "s/a.npy").read_bytes(), (OUT / "s/a.npz").read_bytes()) == before


def test_without_the_networks_or_a_wish_it_is_skipped_and_with_both_again_it_is_not(people_networks: Path) -> None:
    PRETRAINED.mkdir(parents=True)
    run()
    assert "comes with weights.people" in str(why_skipped(OUT)) and not (OUT / "s/a.npy").exists()
    shutil.copy(people_networks / middle.FILE, PRETRAINED)
    run()
    assert "comes with weights.people" in str(why_skipped(OUT)), "one of the two is missing"
    run(Params(px=128, nanodet_px=None))
    assert why_skipped(OUT) is None and (OUT / "s/a.npy").exists()
    assert read(OUT)["trunk"]["weights"].keys() == {middle.FILE}
    run(Params(px=None, nanodet_px=96))
    assert "trunk.px is null" in str(why_skipped(OUT)) and not (OUT / "s/a.npy").exists()
