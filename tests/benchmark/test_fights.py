"""`vigil benchmark fights`: nobody is judged by who has seen its source, what is frozen stays, and it goes on."""

import os
import shutil
import signal
import time
from dataclasses import replace
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fight_clips import SERIAL, draw_clips, run_alone, small_params, small_setup

from vigil.benchmark.fights import features, frozen, protocol
from vigil.benchmark.fights.joining import Opinion, choose_threshold, find_middle, join_odds, join_seeds
from vigil.benchmark.fights.shortcuts import judge_by_shortcuts, learn_shortcuts
from vigil.benchmark.fights.verdicts import summarise
from vigil.cli.main import main
from vigil.core.errors import VigilError
from vigil.evaluation.flow_trees import ForestParams
from vigil.footage.video_table import Video


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_folds_freezing_and_going_on(pretrained: Path) -> None:
    data, test = draw_clips(Path("data"), 5), draw_clips(Path("test"), 3, first=50)
    said: list[str] = []
    setup = small_setup(small_params(pretrained), said)
    record = protocol.run(data, test, setup)
    assert (record["folds"]["clips"], record["folds"]["sources"], record["test"]["clips"]) == (10, 5, 6)
    detectors = {"fused", "fused_seeds", "fused_fitted", "flow_trees", "shortcuts", "crime_gate", "i3d"}
    assert record["folds"]["detectors"].keys() == record["test"]["detectors"].keys() == detectors
    for name, row in record["folds"]["detectors"].items():
        assert len(row["auc"]["seeds"]) == (1 if name == "fused_seeds" else 2)
        assert 0 <= row["accuracy"]["value"] <= 1
    assert sum("is judged" in line for line in said) == 10
    assert not [path for path in Path("work/learning").iterdir() if path.is_dir()]

    said.clear()
    kept = sorted(Path("work/said").glob("*.npz"))
    assert len(kept) == 2 * 5 * 4
    before = {path: path.read_bytes() for path in kept}
    kept[3].unlink()
    assert protocol.run(data, test, setup) == record
    assert [path.read_bytes() for path in kept] == list(before.values())
    assert sum("is judged" in line for line in said) == 1
    assert any("was scored before" in line for line in said)

    said.clear()  # one model fewer, as a first look has it: all is known already
    fewer = small_params(pretrained)
    del fewer["models"]["i3d"]
    alone = protocol.run(data, None, small_setup(fewer, said))["folds"]["detectors"]
    assert alone["crime_gate"] == record["folds"]["detectors"]["crime_gate"] and "fused" not in alone
    assert not any("is judged" in line for line in said)

    weights = next(Path("work/frozen").rglob("weights.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(VigilError, match="has changed since it was frozen"):
        protocol.run(data, test, setup)


def test_a_folder_that_shares_clips_or_sources_is_refused(pretrained: Path) -> None:
    data, test = draw_clips(Path("data"), 3), draw_clips(Path("test"), 3, first=50)
    said: list[str] = []
    setup = small_setup(small_params(pretrained), said)
    clips = features.make_features(
        setup.features, {"data": features.read_dataset(setup.params, data)}, setup.params, SERIAL
    )
    table = (test / "clips.csv").read_text()

    shutil.copy(data / "fight/fi000.mp4", test / "fight/fi900.mp4")
    for row in ("", "fight/fi900.mp4,fight,yt-900\n"):  # whether the table names it or not
        (test / "clips.csv").write_text(table + row)
        with pytest.raises(VigilError, match=r"1 of its clips are among .* such as fight/fi900.mp4"):
            frozen.open_unseen(clips, data, test, setup)

    (test / "fight/fi900.mp4").unlink()
    (test / "fight/broken.mp4").write_bytes(b"no film")
    (test / "clips.csv").write_text(table.replace("yt-51", "yt-1") + "fight/broken.mp4,fight,yt-77\n")
    with pytest.raises(VigilError, match="1 of its sources are among those that were learnt from, such as yt-1"):
        frozen.open_unseen(clips, data, test, setup)
    assert [line for line in said if "left out: test/fight/broken.mp4" in line]


def read_kept(work: str) -> dict[str, bytes]:
    """What members said, by file, without what was being written when the run was killed."""
    return {path.name: path.read_bytes() for path in Path(work, "said").glob("[!.]*.npz")}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_in_the_middle_it_goes_on_to_the_same_bytes(pretrained: Path) -> None:
    draw_clips(Path("data"), 5)
    run_alone(pretrained, Path("whole"))
    whole = read_kept("whole")
    process = get_context("spawn").Process(target=run_alone, args=(pretrained, Path("work")))
    process.start()
    while len(read_kept("work")) < 4:
        assert process.is_alive()
        time.sleep(0.02)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert read_kept("work").keys() < whole.keys()
    run_alone(pretrained, Path("work"))
    assert read_kept("work") == whole


def clips_of(sources: int, each: int) -> list[Video]:
    blank = Video.__dataclass_fields__
    values: dict[str, Any] = dict.fromkeys(blank, "")
    clips = []
    for number in range(sources * each):
        label = ("fight", "normal")[number % 2]
        name = f"data/{number:03}"
        clips.append(Video(**values | {"video": name, "label": label, "source": f"s{number // each}", "spans": ()}))
    return clips


@pytest.mark.parametrize("seed", [7, 11])
def test_no_source_is_on_two_sides_and_every_clip_is_judged_once(seed: int) -> None:
    clips = clips_of(12, 4)
    splits = protocol.make_splits(clips, seed)
    judged = sorted(clip.video for split in splits for clip in split.judged)
    assert judged == [clip.video for clip in clips]
    for split in splits:
        sides = [{clip.source for clip in side} for side in (split.train, split.val, split.judged)]
        assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
        assert sum(map(len, (split.train, split.val, split.judged))) == len(clips)
        assert {clip.label for clip in split.val} == {"fight", "normal"}


def test_a_threshold_lies_in_the_widest_gap_that_parts_best() -> None:
    is_abnormal = np.array([False, False, True, True])
    assert choose_threshold(np.array([0.1, 0.2, 0.8, 0.9]), is_abnormal) == pytest.approx(0.5)
    assert choose_threshold(np.array([0.1, np.nan, 0.2, 0.9]), is_abnormal) == pytest.approx(0.15)
    alike = choose_threshold(np.full(4, 0.3), is_abnormal)
    assert alike <= 0.3 or alike > 0.3  # a number


def test_shortcuts_tell_longer_fights_and_nothing_where_clips_are_alike() -> None:
    clips = [
        replace(clip, duration_s=Fraction(2 + clip.abnormal), fps=Fraction(25), width=320, height=240)
        for clip in clips_of(12, 4)
    ]
    params = ForestParams(window_s=1.0, windows=100, trees=20, leaf=1, seed=7)
    is_abnormal = np.array([clip.abnormal for clip in clips])
    learn_shortcuts(Path("longer.npz"), clips, params)
    assert np.array_equal(judge_by_shortcuts(Path("longer.npz"), clips) > 0.5, is_abnormal)
    alike = [replace(clip, duration_s=Fraction(2)) for clip in clips]
    learn_shortcuts(Path("alike.npz"), alike, params)
    assert judge_by_shortcuts(Path("alike.npz"), alike) == pytest.approx(0.5)


def test_members_count_alike_and_silence_is_even_odds() -> None:
    sharp, blunt = np.array([0.9, 0.8, 0.3, np.nan]), np.array([0.4, 0.6, 0.6, 0.4])
    joined = join_odds(np.array([sharp, blunt]), np.zeros(2))
    assert joined == pytest.approx([0.710, 0.710, 0.445, 0.449], abs=1e-3)  # logit 2.197 and -0.405: 0.896
    moved = join_odds(np.array([sharp, blunt]), np.array([0.8, 0.0]))
    assert moved == pytest.approx([0.622, 0.622, 0.350, 0.449], abs=1e-3)  # silence is not moved
    assert np.isnan(join_odds(np.array([[np.nan], [np.nan]]), np.array([0.8, 0.8]))).all()


def test_who_leans_to_alarm_has_its_middle_above_even_odds() -> None:
    is_abnormal = np.array([True, True, False, False])
    leaning = np.array([0.9, 0.8, 0.6, np.nan])  # log odds 2.197, 1.386; 0.405
    assert find_middle(leaning, is_abnormal) == pytest.approx((1.792 + 0.405) / 2, abs=1e-3)
    assert find_middle(leaning[:2], is_abnormal[:2]) == 0.0


def test_seeds_are_joined_by_their_log_odds_and_flag_from_even_odds() -> None:
    first = Opinion(np.array([0.9, 0.4, 0.6, np.nan]), np.array([True, False, True, False]))
    second = Opinion(np.array([0.4, 0.55, 0.6, np.nan]), np.array([False, True, True, False]))
    joined = join_seeds([first, second])
    assert joined.probability[:3] == pytest.approx([0.710, 0.474, 0.6], abs=1e-3) and np.isnan(joined.probability[3])
    assert joined.verdict.tolist() == [True, False, True, False]


def test_numbers_are_those_of_the_opinions() -> None:
    clips = clips_of(6, 4)
    is_abnormal = np.array([clip.abnormal for clip in clips])
    sure = Opinion(is_abnormal.astype(float), is_abnormal)
    silent = Opinion(np.full(len(clips), np.nan), np.zeros(len(clips), bool))
    record = summarise(clips, {"sure": [sure, sure], "flow_trees": [silent, silent]})["detectors"]
    assert record["sure"]["auc"]["value"] == record["sure"]["accuracy"]["value"] == 1
    assert record["flow_trees"]["auc"]["value"] == record["flow_trees"]["accuracy"]["value"] == 0.5
    assert record["sure"]["auc_over_trees"] == {"value": 0.5, "low": 0.5, "high": 0.5, "n": 6, "clear": 1}
    assert (record["sure"]["says_nothing"], record["flow_trees"]["says_nothing"]) == (0, 1)


def test_wrong_folders_are_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for arguments, problem in (
        (["--data", "none"], "none: not found. Name a folder of clips."),
        (["--data", "file"], "file: not a folder. Name a folder of clips."),
        (["--data", ".", "--models", "crimegate"], "--models: no model 'crimegate' in preset fights."),
    ):
        assert main(["benchmark", "fights", *arguments]) == 1
        err = capsys.readouterr().err
        assert problem in err and err.count("\n") == 1
