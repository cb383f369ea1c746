"""Every stored frame of every video has its score and its truth, in one flat table."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import judging
from judging import CONTEXT, DATA, SERIAL, TRUTH, flow, load_model, people, run_context, save_model, store_frames, video
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays, save_arrays
from vigil.features.flow import usual
from vigil.features.landmarks import pose_table
from vigil.features.landmarks.pose_table import Pose
from vigil.footage.video_table import Video
from vigil.judging import scoring
from vigil.judging.items import Picture, Segment
from vigil.judging.judgements import causal_scores, hindsight_scores
from vigil.judging.judges import make_judge
from vigil.judging.scoring import Sources, build_table
from vigil.judging.stored import JudgingParams
from vigil.stages.context import motion
from vigil.statistics.scores import Scores

PARAMS = JudgingParams(step=0.5)
ONE, TWO, THREE = (
    video("one", "normal", frames=40),
    video("two", "Arson", [(1, 2)], frames=21),
    video("three", "panic", [(0, 1)], frames=5),
)


def sources(input_name: str, gate: Path | None = None) -> Sources:
    return Sources(DATA / input_name, CONTEXT, TRUTH, "test", gate)


def scored(model: str, videos: list[Video] | None = None, input_name: str = "") -> dict[str, np.ndarray]:
    checkpoint, input_name = load_model(model), input_name or judging.TINY[model][0]
    return build_table(checkpoint, videos or [ONE, TWO, THREE], sources(input_name), PARAMS, SERIAL)


@pytest.fixture
def city() -> None:
    for film in (ONE, TWO, THREE):
        store_frames(film)
    people([ONE, TWO, THREE])
    run_context([ONE, TWO, THREE])


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize(("model", "ready"), [("i3d", 12), ("crime_gate", 8), ("pose_lstm", 4)])
def test_the_table_is_one_that_the_metrics_take(model: str, ready: int) -> None:
    arrays = scored(model)
    scores = Scores.of(arrays, bool(arrays["has_normal"]))
    assert arrays["video"].tolist() == ["a/one", "a/two", "a/three"]
    assert arrays["class_index"].tolist() == [0, 1, -1]
    assert scores.frames.tolist() == [40, 21, 5]
    assert np.allclose(arrays["time_s"][:40], np.arange(40) / 8)
    truths = [arrays["truth"][scores.frames_of(number)].tolist() for number in range(3)]
    assert truths[0] == [-1] * (ready - 1) + [0] * (41 - ready), "before it can say anything it is not judged"
    assert truths[1] == ([-1] * (ready - 1) + ([0] * 8 + [1] * 8 + [0] * 5)[ready - 1 :])
    assert truths[2] == [-1] * 5, "what the model does not know has no truth for it"
    for number in range(3):
        video_scores = arrays["score"][scores.frames_of(number)]
        assert arrays["video_score"][number] == np.nanmax(video_scores) if np.isfinite(video_scores).any() else True
    assert str(arrays["model_sha256"]) == load_model(model).sha256
    assert arrays["score"].dtype == arrays["noncausal"].dtype == np.float32


@pytest.mark.usefixtures("city")
def test_stored_scores_are_those_of_a_stream() -> None:
    arrays = scored("i3d")
    judge = make_judge(load_model("i3d"), PARAMS.step)
    judgements = list(judge.judge_all(map(Picture, store_frames(TWO))))
    times = np.arange(21) / 8
    assert np.allclose(arrays["score"][40:61], causal_scores(judgements, times, None), atol=1e-5, equal_nan=True)
    assert np.allclose(arrays["noncausal"][40:61], hindsight_scores(judgements, 21), atol=1e-5)


@pytest.mark.usefixtures("city")
def test_the_same_table_comes_out_again() -> None:
    first, again = scored("crime_gate"), scored("crime_gate")
    assert first.keys() == again.keys()
    assert all(np.array_equal(first[key], again[key], equal_nan=first[key].dtype.kind == "f") for key in first)


@pytest.mark.usefixtures("city")
def test_the_gate_leaves_what_it_attended_to() -> None:
    arrays = scored("crime_gate")
    assert len(arrays["window"]) == len(arrays["window_video"]) == len(arrays["window_score"])
    assert arrays["attention"].shape == arrays["shown"].shape == (len(arrays["window"]), 4)
    assert np.allclose(arrays["attention"].sum(1), 1)
    assert arrays["classes"].shape == (3, 2)


@pytest.mark.usefixtures("city")
def test_people_are_told_by_segment_too() -> None:
    arrays = scored("pose_lstm")
    rows = load_arrays(DATA / "segments/test.npz")
    assert len(arrays["person_video"]) == len(rows["x"])
    class_of_label = {"normal": 0, "Arson": 1, "panic": -1}
    assert arrays["person_class_index"].tolist() == [class_of_label[label] for label in rows["label"].tolist()]
    assert np.isnan(arrays["score"][:3]).all() and np.isfinite(arrays["score"][3:40]).all()


@pytest.mark.usefixtures("city")
def test_who_is_done_something_to_is_neither_a_normal_person_nor_the_doer() -> None:
    path = DATA / "segments/test.npz"
    rows = load_arrays(path)
    role = np.where(rows["person"] == 2, "victim", "bystander")
    save_arrays(path, **rows | {"role": role})
    class_index = scored("pose_lstm")["person_class_index"]
    of_two, is_victim = rows["video"] == "a/two", rows["person"] == 2
    meanwhile = (rows["start_s"] < 2) & (rows["stop_s"] >= 1)  # the arson is from 1 s to 2 s
    acting, normal = of_two & (rows["label"] == "Arson"), of_two & (rows["label"] == "normal")
    assert (normal & is_victim & meanwhile).any() and (normal & is_victim & ~meanwhile).any()
    assert (class_index[normal & is_victim & meanwhile] == -1).all()
    assert (class_index[normal & ~(is_victim & meanwhile)] == 0).all() and (class_index[acting] == 1).all()
    assert (class_index[rows["video"] == "a/one"] == 0).all(), "in a normal video nothing is done to anybody"


@pytest.mark.usefixtures("city")
def test_of_segments_that_end_with_one_stored_frame_the_later_counts() -> None:
    path = DATA / "segments/test.npz"
    rows = load_arrays(path)
    mine = np.flatnonzero((rows["video"] == "a/one") & (rows["person"] == 1))[:3]
    rows = {name: values if name == "names" else values[mine] for name, values in rows.items()}
    frame = np.array([[0, 1, 1, 2], [1, 2, 2, 2], [2, 2, 2, 2]], np.int32)  # a slow camera's, of several ticks each
    save_arrays(path, **rows | {"frame": frame, "start": frame[:, 0], "stop": frame[:, -1] + 1})
    arrays = scored("pose_lstm", [ONE])
    judge = make_judge(load_model("pose_lstm"), PARAMS.step)
    items = [[Segment(1, int(row[0]), int(row[-1]) + 1, x)] for row, x in zip(frame, rows["x"], strict=True)]
    judgements = list(judge.judge_all(items))
    assert arrays["score"][2] == pytest.approx(judgements[2].score) and np.isnan(arrays["score"][:2]).all()
    assert arrays["noncausal"][1] == pytest.approx((judgements[0].score + judgements[1].score) / 2)


def test_a_video_with_a_pause_is_in_the_table_as_two_pieces() -> None:
    times = [Fraction(k, 8) + (600 if k >= 20 else 0) for k in range(40)]
    store_frames(ONE, times=times)
    run_context([ONE])
    arrays = scored("crime_gate", [ONE])
    assert (int(arrays["ready"]), float(arrays["ready_s"])) == (8, 0.875)
    assert arrays["truth"].tolist() == 2 * ([-1] * 7 + [0] * 13) and (arrays["event_truth"] == 0).all()
    assert np.array_equal(np.isfinite(arrays["score"]), arrays["truth"] == 0)
    assert Scores.of(arrays, True).until_s[[19, 39]].tolist() == [2.5, 605]


def test_flow_of_other_frames_is_noticed() -> None:
    from vigil.features.times import write_times

    flow(ONE)
    store_frames(ONE)
    run_context([ONE])
    write_times(DATA / f"flow/{ONE.video}.npz", [Fraction(k, 8) for k in range(39)])
    with pytest.raises(VigilError, match="not as many frames as there are times"):
        scored("panic", [ONE])


def test_what_moved_in_a_pause_is_no_truth_of_the_frame_after_it(tmp_path: Path) -> None:
    from vigil.judging.judgements import Judgement
    from vigil.judging.truth import Context, map_arrays

    unknown = np.full(4, np.nan)
    times = [Fraction(0), Fraction(1, 8), Fraction(60), Fraction(481, 8)]
    context = Context(np.array([0, 2, 6, 8]), times, np.full(4, -1), unknown, unknown)
    truth = np.zeros((9, 2, 2), np.uint8)
    truth[[1, 4, 6, 7], [0, 0, 1, 1], [0, 1, 0, 1]] = 1  # the one of frame 4 is in the pause
    save_arrays(tmp_path / f"{TWO.video}.npz", cells=truth)
    judgements = [Judgement(k, k + 1, 0.0, 0.0, cells=np.zeros((2, 2)), shown=(k,)) for k in range(4)]
    maps = map_arrays(TWO, 1, judgements, context, tmp_path)["cells_truth"]
    assert maps.reshape(4, 4).tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


@pytest.mark.usefixtures("city")
def test_crime_is_named_from_cached_clips_as_from_frames() -> None:
    from vigil.core.storage import read_json, sha256_file
    from vigil.footage import video_table
    from vigil.stages import attend

    judging.record_lineage("frames")
    gate = save_model("crime_gate")
    nobody, val = Path("nobody.csv"), Path("val.csv")
    video_table.write(nobody, [])
    video_table.write(val, [TWO, ONE])
    judging.write_gate_calibration(gate, Path("gate.json"))
    attend.main(
        train=nobody, val=val, test=nobody, frames=DATA / "frames", gate=gate, calibration=Path("gate.json"),
        out=DATA / "attended", params=attend.Params(keep=2, step=0.5, overlap=0.5), runtime=SERIAL,
    )  # fmt: skip
    assert read_json(DATA / "attended/anomalies.json")["gate"] == sha256_file(gate / "weights.safetensors")
    named = load_model("crime_type", {"Arson": ["Arson"], "panic": ["panic"]})
    cached = build_table(named, [ONE, TWO], sources("attended"), PARAMS, SERIAL)
    live = build_table(named, [TWO], sources("frames", gate), PARAMS, SERIAL)
    assert cached["video"].tolist() == ["a/two"]
    assert cached["class_index"].tolist() == [0] and not cached["has_normal"]
    assert np.allclose(cached["classes"], live["classes"], atol=1e-5)
    assert np.isnan(cached["score"]).all(), "it names what is abnormal and does not say whether"
    assert cached["truth"].tolist() == [0] * 8 + [1] * 8 + [0] * 5


def test_a_lost_video_is_left_out_and_one_that_is_merely_missing_stops(capsys: pytest.CaptureFixture[str]) -> None:
    store_frames(ONE)
    run_context([ONE, TWO])
    with pytest.raises(VigilError, match=r"two\.npz: not found"):
        scored("crime_gate", [ONE, TWO])
    (DATA / "frames/rejects.csv").write_text("video,reason\na/two,damaged\n")
    assert scored("crime_gate", [ONE, TWO])["video"].tolist() == ["a/one"]
    assert "a/two is left out" in capsys.readouterr().err


def test_a_context_of_another_video_is_noticed() -> None:
    store_frames(ONE)
    run_context([ONE])
    store_frames(video("one", frames=60))
    with pytest.raises(VigilError, match="judged beyond its 40 stored frames"):
        scored("crime_gate", [ONE])


def test_no_video_at_all_is_said_in_a_line() -> None:
    (DATA / "frames").mkdir(parents=True)
    (DATA / "frames/rejects.csv").write_text("video,reason\na/one,damaged\n")
    with pytest.raises(VigilError, match="not one of 1 videos has anything that it looks at"):
        scored("crime_gate", [ONE])


def test_the_normal_class_comes_first() -> None:
    store_frames(ONE)
    run_context([ONE])
    checkpoint = load_model("crime_gate", {"crime": ["Arson"], "normal": ["normal"]})
    with pytest.raises(VigilError, match="its normal class is 'normal': expected it first"):
        build_table(checkpoint, [ONE], sources("frames"), PARAMS, SERIAL)


def test_the_context_tells_what_is_unusual_from_normal_videos_of_training_alone() -> None:
    planes = flow(ONE)
    store_frames(ONE)
    store_frames(TWO)
    crime = replace(ONE, label="assault")
    for train in ([], [TWO], [crime]):  # nobody; nobody with flow; nobody normal
        run_context([ONE, TWO], train)
        assert np.isnan(load_arrays(CONTEXT / f"{ONE.video}.npz")["unusual"]).all()
    assert crime.abnormal
    run_context([ONE, TWO], [ONE, THREE])
    context = load_arrays(CONTEXT / f"{ONE.video}.npz")["unusual"]
    assert np.allclose(context, usual.score_unusual(usual.learn_norm([planes]), planes), atol=1e-5)
    assert np.isnan(load_arrays(CONTEXT / f"{TWO.video}.npz")["unusual"]).all()


def test_the_context_tells_people_and_motion_where_they_are_known() -> None:
    store_frames(ONE)
    planes = flow(ONE)
    joints = np.full((13, 2), 9.0)
    pose_table.write_poses(
        DATA / f"landmarks/{ONE.video}.csv",
        [Pose(3, Fraction(3, 8), who, 1.0, 1.0, joints, np.ones(13)) for who in (1, 2)],
    )
    store_frames(TWO)
    run_context([ONE, TWO])
    context = load_arrays(CONTEXT / f"{ONE.video}.npz")
    assert context["people"].tolist() == [0, 0, 0, 2] + [0] * 36
    length = np.hypot(planes[5, 0].astype(float), planes[5, 1].astype(float)).mean() / 127
    assert context["motion"][5] == pytest.approx(length, abs=1e-5)
    assert np.allclose(motion(DATA / f"flow/{ONE.video}.npy"), context["motion"])
    other = load_arrays(CONTEXT / f"{TWO.video}.npz")
    assert (other["people"] == -1).all() and np.isnan(other["motion"]).all()
    assert (other["pts"] / other["time_base"][1]).tolist() == [number / 8 for number in range(21)]


def test_landmarks_without_pictures_have_the_times_of_their_rows() -> None:
    clip = Video(**{**ONE.__dict__, "path": "data/raw/a/one.csv"})
    rows = [Pose(k, Fraction(k, 5), 0, 1.0, 1.0, np.full((13, 2), float(k)), np.ones(13)) for k in range(4)]
    pose_table.write_poses(DATA / f"landmarks/{ONE.video}.csv", rows)
    run_context([clip])
    context = load_arrays(CONTEXT / f"{ONE.video}.npz")
    assert context["frame"].tolist() == [0, 1, 2, 3] and context["people"].tolist() == [1] * 4
    assert (context["pts"] / context["time_base"][1]).tolist() == [0, 0.2, 0.4, 0.6]


def test_maps_are_held_against_what_moves() -> None:
    from vigil.core.params import Frozen
    from vigil.judging.judgements import Judgement
    from vigil.models.blocks.layers import Clip
    from vigil.models.checkpoint import Card

    store_frames(TWO)
    run_context([TWO])
    truth = np.zeros((21, 4, 4), np.uint8)
    truth[7, 3, 3] = 1
    save_arrays(TRUTH / f"{TWO.video}.npz", cells=truth)
    card = Card("maps", Frozen(), {"static": ["static"], "dynamic": ["Arson"]}, Clip(4, size=64, target="cells"),
                "frames", judging.features("frames"), "", 0, [], [])  # fmt: skip
    judgements = [Judgement(stop - 4, stop, 0.0, 0.0, None, None, np.full((2, 2), float(stop)), (stop - 4, stop - 1))
             for stop in (7, 8)]  # fmt: skip
    row = scoring._row_of(card, TWO, scoring.JudgedVideo(judgements), sources("frames"), None, 4)
    assert row["cells_truth"].tolist() == [[[0, 0], [0, 0]], [[0, 0], [0, 1]]]
    assert row["cells_frame"].tolist() == [6, 7]
    assert (row["truth"] == -1).all()
