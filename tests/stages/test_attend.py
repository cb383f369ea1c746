"""The attend stage: the clips that the gate is surest of, as it saw them, whatever it thinks of the video."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from live_pictures import picture_tensor

from judging import write_gate_calibration
from vigil.clips import sampling
from vigil.clips.ticks import spread_frames
from vigil.core.errors import VigilError
from vigil.core.lineage import read, record
from vigil.core.storage import read_json, write_table
from vigil.engine.per_video import Runtime
from vigil.features.frames import FrameArchive, encode_jpeg, save_frames
from vigil.features.pictures import normalise_squares
from vigil.footage import video_table
from vigil.footage.video_table import SPLITS, Video
from vigil.judging.attention import rank_frames, select_clips
from vigil.judging.items import Picture
from vigil.judging.judgements import Judgement
from vigil.judging.judges import judge_stream, make_judge
from vigil.models import crime_gate, crime_type
from vigil.models.checkpoint import Card, load_checkpoint, save_checkpoint
from vigil.stages import attend
from vigil.stages.attend import Params, main

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
PARAMS = Params(keep=2, step=0.5, overlap=0.5)
TRAIN, VAL, TEST = (Path(f"data/manifest/{split}.csv") for split in SPLITS)
FRAMES, GATE, OUT = Path("data/frames"), Path("models/crime_gate"), Path("data/attended")
CALIBRATION = Path("models/calibration/crime_gate.json")
LOOK = {"frames": 4, "size": 32, "channels": (8,), "hidden": 8, "window_s": 1.0}


@pytest.fixture(autouse=True)
def single_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def video(
    name: str,
    label: str,
    split: str,
    frames: int = 24,
    pictures_: bool = True,
    times: Sequence[Fraction] | None = None,
) -> Video:
    """Noise; a white flash in frames 16 to 19. Eight frames a second unless `times` say otherwise."""
    one = Video(
        f"a/{name}", f"data/raw/a/{name}.{'mp4' if pictures_ else 'csv'}", name, label, (), split,
        Fraction(8), frames, 80, 60, Fraction(frames, 8), "0" * 64,
    )  # fmt: skip
    noise = np.random.default_rng(len(name)).integers(0, 90, (frames, 60, 80, 3), dtype=np.uint8)
    noise[16:20] = 255
    rows = ((k, Fraction(k, 8) if times is None else times[k], encode_jpeg(image, 90)) for k, image in enumerate(noise))
    save_frames(FRAMES / f"{one.video}.npz", rows, (80, 60))
    return one


def gate(bias: float = 0.0, model: str = "crime_gate", fps: float = 8.0) -> None:
    """A gate that thinks of light: bright frames are crime. `bias` is added to the odds."""
    record(FRAMES, "frames", {"fps": 8.0})
    torch.manual_seed(0)
    kind = {"crime_gate": crime_gate, "crime_type": crime_type}[model]
    network = kind.Model(kind.Config.read(LOOK, "test"), 2)
    with torch.no_grad():
        network.head[1].bias.copy_(torch.tensor([0.0, bias]))
    classes = {"normal": ["normal"], "crime": ["Arson", "Arrest"]}
    card = Card(model, network.config, classes, network.clip, "frames", {"frames": {"fps": fps}}, "", 0, [], [1])
    save_checkpoint(GATE, card, [network.state_dict()])
    write_gate_calibration(GATE, CALIBRATION)


def split(train: list[Video], val: list[Video] | None = None, test: list[Video] | None = None) -> None:
    video_table.write(TRAIN, train)
    video_table.write(VAL, val or [])
    video_table.write(TEST, test or [])


def run(params: Params = PARAMS) -> dict[str, dict]:
    main(
        train=TRAIN, val=VAL, test=TEST, frames=FRAMES, gate=GATE, calibration=CALIBRATION, out=OUT, params=params,
        runtime=SERIAL,
    )  # fmt: skip
    return read_json(OUT / "anomalies.json")["videos"]


@pytest.mark.parametrize(("step", "starts"), [(1.0, [0, 8, 16]), (0.5, [0, 4, 8, 12, 16]), (0.125, list(range(17)))])
def test_a_clip_is_judged_every_so_many_of_its_lengths(step: float, starts: list[int]) -> None:
    """With room for all and nearly any overlap allowed, all that is judged is handed on; a clip has 8 of 24 frames."""
    split([video("one", "Arson", "train")])
    gate()
    clips = run(Params(keep=99, step=step, overlap=0.99))["a/one"]["clips"]
    assert sorted(clip["start"] for clip in clips) == starts


def test_clips_of_every_crime_video_of_both_splits() -> None:
    split([video("one", "Arson", "train"), video("two", "normal", "train")], [video("three", "Arrest", "val")])
    gate()
    told = run()
    assert set(told) == {"a/one", "a/three"}
    assert told["a/three"]["label"] == "Arrest" and told["a/three"]["split"] == "val"
    for name, about in told.items():
        stored = np.load(OUT / f"{name}.npy")
        assert stored.shape == (len(about["clips"]), 4, 32, 32, 3) and stored.dtype == np.uint8
        for clip, shown in zip(about["clips"], stored, strict=True):
            assert clip["frames"] == spread_frames((clip["start"], clip["stop"]), 4)
            live = picture_tensor(FrameArchive(FRAMES / f"{name}.npz").jpegs(clip["frames"]), 32, "cthw")
            assert torch.equal(normalise_squares(shown, "cthw"), live)  # as the gate, and a live source, saw it
            assert sum(clip["attention"]) == pytest.approx(1, abs=1e-5)
            assert clip["top"][0] == clip["frames"][int(np.argmax(clip["attention"]))]
            assert clip["start_s"] == clip["start"] / 8 and clip["stop_s"] == (clip["stop"] - 1) / 8
        odds = [clip["odds"] for clip in about["clips"]]
        assert odds == sorted(odds, reverse=True) and about["confidence"] == about["clips"][0]["confidence"]
    assert (OUT / "gate" / "weights.safetensors").read_bytes() == (GATE / "weights.safetensors").read_bytes()
    assert load_checkpoint(OUT / "gate").model.clip.frames == 4
    assert read(OUT)["attended"]["keep"] == 2 and read(OUT)["frames"] == {"fps": 8.0}


def test_clips_of_a_slow_camera_are_as_long_and_none_crosses_a_pause() -> None:
    times = [*(Fraction(k, 4) for k in range(12)), *(100 + Fraction(k, 8) for k in range(12))]
    split([video("one", "Arson", "train", times=times)])
    gate()
    clips = run(PARAMS.model_copy(update={"keep": 9}))["a/one"]["clips"]
    pixels, archive = np.load(OUT / "a/one.npy"), FrameArchive(FRAMES / "a/one.npz")
    assert {clip["start"] >= 12 for clip in clips} == {True, False}
    for clip, shown in zip(clips, pixels, strict=True):
        assert clip["stop"] <= 12 or clip["start"] >= 12
        assert all(clip["start"] <= frame < clip["stop"] for frame in clip["frames"])
        assert 0.625 <= clip["stop_s"] - clip["start_s"] <= 1.25, "a window is a second"
        pictures = picture_tensor(archive.jpegs(clip["frames"]), 32, "cthw")
        assert torch.equal(normalise_squares(shown, "cthw"), pictures)


def test_what_is_told_of_test_videos_lies_apart_from_what_training_reads() -> None:
    split([video("one", "Arson", "train")], test=[video("five", "Arson", "test")])
    gate()
    assert set(run()) == {"a/one"}
    assert set(read_json(OUT / "test.json")["videos"]) == {"a/five"}
    assert (OUT / "a/five.npy").exists()


@pytest.mark.parametrize(("bias", "flagged"), [(-9.0, False), (9.0, True)])
def test_what_the_gate_misses_is_kept_and_marked(bias: float, flagged: bool) -> None:
    split([video("one", "Arson", "train")])
    gate(bias)
    told = run()["a/one"]
    assert told["flagged"] is flagged and len(told["clips"]) == 2
    assert (told["confidence"] > 0.5) is flagged


def test_the_calibration_says_what_is_flagged_and_how_sure_that_is() -> None:
    split([video("one", "Arson", "train")])
    gate()
    odds = run()["a/one"]["clips"][0]["odds"]
    write_gate_calibration(GATE, CALIBRATION, odds + 1, slope=2.0)
    missed = run()["a/one"]
    assert missed["flagged"] is False
    assert missed["confidence"] == missed["clips"][0]["confidence"] == pytest.approx(1 / (1 + np.exp(2.0)), abs=1e-5)
    write_gate_calibration(GATE, CALIBRATION, odds - 1, slope=2.0)
    assert run()["a/one"]["flagged"] is True
    before = CALIBRATION.read_bytes()
    gate(1.0)  # other weights
    CALIBRATION.write_bytes(before)
    with pytest.raises(VigilError, match=r"calibration/crime_gate\.json: made for weights"):
        run()


def test_again_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    split([video("one", "Arson", "train"), video("four", "Arrest", "train")])
    gate()
    run()
    first = {path: path.read_bytes() for path in OUT.rglob("*") if path.is_file()}
    run()
    assert first == {path: path.read_bytes() for path in OUT.rglob("*") if path.is_file()}
    assert "0 done, 2 reused" in capsys.readouterr().out
    gate(1.0)  # other weights: nothing is reused
    run()
    assert "2 done, 0 reused" in capsys.readouterr().out


def test_a_gate_whose_code_has_changed_judges_anew(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint names the module of its network in a string, where the digest of the work does not see it."""
    split([video("one", "Arson", "train")])
    gate()
    run()
    before = attend.code_version(crime_gate.Model)
    monkeypatch.setattr(attend, "code_version", lambda work: f"{before}, edited" if work is crime_gate.Model else "")
    run()
    assert "1 done, 0 reused" in capsys.readouterr().out.splitlines()[-2]
    run()
    assert "0 done, 1 reused" in capsys.readouterr().out


def test_what_is_written_is_what_crime_type_reads() -> None:
    videos = [video("one", "Arson", "train"), video("three", "Arrest", "train", frames=4)]
    split(videos)
    gate()
    run()
    network = crime_type.Model(crime_type.Config.read(LOOK | {"weights": str(OUT / "gate/weights.safetensors")}, ""), 2)
    assert "starts from" in (network.initialise() or "")
    classes = {"Arrest": ["Arrest"], "Arson": ["Arson"]}
    found = sampling.make_dataset("attended", OUT, videos, classes, network.clip, train=True)
    assert found.labels.tolist() == [1, 1, 0]  # a video of four frames is one clip
    assert network(found[0]["x"][None]).logits.shape == (1, 2)


def test_videos_that_cannot_be_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    lost, table = video("lost", "Arson", "train"), video("table", "Arson", "train", pictures_=False)
    (FRAMES / "a/lost.npz").unlink()
    split([video("one", "Arson", "train"), lost, table])
    gate()
    with pytest.raises(VigilError, match=r"a/lost.npz: not found. Run `dvc repro frames`"):
        run()
    write_table(FRAMES / "rejects.csv", [{"video": "a/lost", "reason": "broken"}], ["video", "reason"])
    assert set(run()) == {"a/one"}
    assert "a/lost is left out: not in data/frames: broken" in capsys.readouterr().err


def test_no_crime_at_all() -> None:
    split([video("two", "normal", "train")])
    gate()
    assert run() == {}


def test_another_model_in_place_of_the_gate() -> None:
    split([video("one", "Arson", "train")])
    gate(model="crime_type")
    with pytest.raises(VigilError, match="a crime_type; expected a trained crime_gate"):
        run()


def test_frames_made_with_other_settings() -> None:
    split([video("one", "Arson", "train")])
    gate(fps=4.0)
    with pytest.raises(VigilError, match=r"not those it was trained on: frames.fps: 4.0 expected, 8.0 found"):
        run()


def judgement(start: int, stop: int, odds: float) -> Judgement:
    return Judgement(start, stop, odds, odds, shown=tuple(range(start, stop)))


def test_the_surest_are_kept_and_do_not_repeat_each_other() -> None:
    found = [
        judgement(0, 8, 0.1),
        judgement(4, 12, 0.9),
        judgement(6, 14, 0.8),
        judgement(8, 16, 0.2),
        judgement(20, 28, -3.0),
    ]
    assert [clip.span for clip in select_clips(found, 3, 0.5)] == [(4, 12), (8, 16), (0, 8)]
    assert [clip.span for clip in select_clips(found, 9, 0.0)] == [(4, 12), (20, 28)]
    assert [clip.score for clip in select_clips(found, 1, 0.5)] == [0.9]


def test_frames_in_the_order_of_their_attention() -> None:
    weights = np.array([0.1, 0.2, 0.5, 0.2], np.float32)
    assert rank_frames(Judgement(3, 6, 0.0, 0.0, shown=(3, 3, 4, 5), attention=weights)) == [4, 3, 5]


def test_every_frame_is_looked_at() -> None:
    gate()
    checkpoint = load_checkpoint(GATE)
    video("one", "Arson", "train", frames=21)
    archive = FrameArchive(FRAMES / "a/one.npz")
    found = list(judge_stream(make_judge(checkpoint, 0.5), map(Picture, archive.jpegs())))
    assert [each.span for each in found] == [(0, 8), (4, 12), (8, 16), (12, 20), (13, 21)]
    x = picture_tensor(archive.jpegs(found[3].shown), 32, "cthw")[None]
    assert found[3].score == float(checkpoint.model.judge(checkpoint.model(x), x)["window"][0])
