"""What the person stage has trained before is restored, and a killed training goes on."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from person_training import METRICS, OUT, SIZE, contents, draw, kill_in_epoch, params, run, stage

from vigil.core.storage import load_arrays, save_arrays
from vigil.features.frames import FrameArchive, encode_jpeg, save_frames
from vigil.stages.person import find_weights, load_pictures, network_key


def test_what_was_trained_before_is_restored(capfd: pytest.CaptureFixture[str]) -> None:
    draw(Path())
    run()
    assert "epoch 1 of 1" in capfd.readouterr().err
    before, metrics = contents(OUT), METRICS.read_bytes()
    shutil.rmtree(OUT)
    METRICS.unlink()
    run()
    assert contents(OUT) == before
    assert METRICS.read_bytes() == metrics
    printed = capfd.readouterr()
    assert "restored from the store" in printed.out
    assert "epoch" not in printed.err


def key(**changes: Any) -> str:
    settings = params(**changes)
    pictures = load_pictures(Path("frames"), Path("truth"), Path("train.csv"), Path("val.csv"), settings)
    return network_key(pictures, find_weights(settings), settings)


def brighten(name: str) -> None:
    """Let the second picture of a video, where the first person is seen, be another one."""
    path = Path(f"frames/set/{name}.npz")
    stored = FrameArchive(path)
    frames = list(zip(stored.index, stored.times, stored.jpegs(range(len(stored))), strict=True))
    white = encode_jpeg(np.full((SIZE[1], SIZE[0], 3), 255, np.uint8), 90)
    save_frames(path, [frames[0], (*frames[1][:2], white), *frames[2:]], stored.source_size)


def test_the_network_is_known_by_what_it_learns_from() -> None:
    draw(Path())
    first = key(images=24)
    assert key(images=24) == first
    brighten("four")  # of the validation split
    assert key(images=24) == first
    keys = [first, *(key(images=24, **changes) for changes in ({"lr": 0.003}, {"epochs": 2}, {"seed": 8}))]
    brighten("one")
    keys.append(key(images=24))
    truth = load_arrays(Path("truth/set/two.npz"))
    truth["boxes"][0] += 1
    save_arrays(Path("truth/set/two.npz"), **truth)
    keys.append(key(images=24))
    assert len(set(keys)) == 6


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_in_the_middle_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """Killed before and after the mosaics end, which is after 6 of 8 epochs."""
    for name in ("whole", "killed"):
        draw(tmp_path / name)
    changes = {"epochs": 8, "images": 16}
    assert stage(tmp_path / "whole", **changes).returncode == 0
    kill_in_epoch(3, tmp_path / "killed", **changes)
    kill_in_epoch(8, tmp_path / "killed", **changes)
    ran = stage(tmp_path / "killed", **changes)
    assert ran.returncode == 0, ran.stderr
    assert "person: goes on after epoch 7" in ran.stderr
    assert contents(tmp_path / "killed/models") == contents(tmp_path / "whole/models")
    assert (tmp_path / "killed" / METRICS).read_bytes() == (tmp_path / "whole" / METRICS).read_bytes()


@pytest.mark.slow
def test_a_damaged_result_is_trained_again(tmp_path: Path) -> None:
    draw(tmp_path)
    assert stage(tmp_path).returncode == 0
    before = contents(tmp_path / OUT)
    (weights,) = tmp_path.glob(".vigil/store/*/*/person.pt")
    damaged = bytearray(weights.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    weights.chmod(0o644)
    weights.write_bytes(damaged)
    ran = stage(tmp_path)
    assert "epoch 1 of 1" in ran.stderr and "restored" not in ran.stdout
    assert contents(tmp_path / OUT) == before
