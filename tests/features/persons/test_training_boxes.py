"""Pictures with boxes: scaled from the video to the stored frame, spread over cameras and crowds, written for YOLO."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from vigil.core.errors import Rejected, VigilError
from vigil.core.storage import save_arrays
from vigil.features.frames import decode_jpeg, encode_jpeg, save_frames
from vigil.features.persons.training_boxes import (
    Picture,
    choose_pictures,
    read_pictures,
    read_yolo_dataset,
    turn_some,
    write_dataset,
)
from vigil.footage.video_table import Video


def video(name: str, source: str = "camera") -> Video:
    return Video(f"set/{name}", f"data/raw/set/{name}.mp4", source, "normal", (), "train", Fraction(10), 9, 640, 480,
                 Fraction(9, 10), "0" * 64)  # fmt: skip


def recorded(name: str, rows: list[tuple[int, list[float], str, float]]) -> None:
    """Frames 0, 3 and 6 of a 640x480 video are stored at 160x120; rows are frame, box, class, visible."""
    image = np.zeros((120, 160, 3), np.uint8)
    stored = [(frame, Fraction(frame, 10), encode_jpeg(image + frame, 95)) for frame in (0, 3, 6)]
    save_frames(Path(f"frames/set/{name}.npz"), stored, (640, 480))
    Path("truth/set").mkdir(parents=True, exist_ok=True)
    save_arrays(
        Path(f"truth/set/{name}.npz"),
        **{
            "frame": np.array([row[0] for row in rows], np.int32),
            "boxes": np.array([row[1] for row in rows], np.float32).reshape(-1, 4),
            "class": np.array([row[2] for row in rows], "<U8"),
            "visible": np.array([row[3] for row in rows], np.float32),
        },
    )


def pictures(*names: str) -> list[Picture]:
    return list(read_pictures([video(name) for name in names], Path("frames"), Path("truth")))


def test_boxes_of_the_video_are_shares_of_the_stored_frame() -> None:
    recorded("a", [(3, [64, 48, 320, 240], "person", 1.0), (4, [0, 0, 640, 480], "person", 1.0)])
    stored = pictures("a")
    assert [len(picture.boxes) for picture in stored] == [0, 1, 0]
    np.testing.assert_allclose(stored[1].boxes, [[0.1, 0.1, 0.5, 0.5]])
    assert stored[1].image().shape == (120, 160, 3)
    assert stored[1].image()[0, 0, 0] == 3


def test_what_is_hardly_seen_is_not_counted() -> None:
    recorded(
        "a", [(0, [0, 0, 64, 48], "person", 0.29), (0, [0, 0, 64, 48], "person", 0.31), (0, [1, 1, 9, 9], "bag", 1)]
    )
    assert pictures("a")[0].is_countable("person").tolist() == [False, True, False]
    assert pictures("a")[0].is_countable("bag").tolist() == [False, False, True]


def test_videos_without_truth_are_left_out() -> None:
    recorded("a", [])
    recorded("b", [])
    Path("truth/set/b.npz").unlink()
    assert {picture.group for picture in pictures("a", "b", "c")} == {"set/a"}


def test_the_right_box_is_right() -> None:
    recorded("a", [(0, [64, 48, 320, 240], "person", 1.0)])
    picture = pictures("a")[0]
    assert picture.match_detections(lambda _: np.array([[16.0, 12, 80, 60, 0.9]]), "person").correct.tolist() == [True]
    assert picture.match_detections(lambda _: np.array([[64.0, 48, 320, 240, 0.9]]), "person").correct.tolist() == [
        False
    ]


def some(source: str, group: str, people: int, count: int) -> list[Picture]:
    box = np.tile([0.1, 0.1, 0.2, 0.4], (people, 1))
    kinds = np.array(["person"] * people)
    return [Picture(Path(f"{group}.npz"), place, source, group, kinds, box, np.ones(people)) for place in range(count)]


def with_bag(picture: Picture) -> Picture:
    classes, boxes = np.append(picture.classes, "bag"), np.vstack([picture.boxes, [0.5, 0.5, 0.6, 0.6]])
    return replace(picture, classes=classes, boxes=boxes, visible=np.ones(len(boxes)))


def test_crowds_cameras_and_videos_have_their_share() -> None:
    """One camera has ten times as much of one person as the other has of anything."""
    candidates = some("one", "a", 1, 500) + some("one", "b", 1, 20) + some("two", "c", 1, 20) + some("two", "d", 8, 20)
    chosen = choose_pictures(candidates, ["person"], 40, 7)
    assert Counter(picture.group for picture in chosen) == {"a": 5, "b": 5, "c": 10, "d": 20}


def test_a_few_pictures_show_nobody() -> None:
    candidates = some("one", "a", 0, 100) + some("one", "b", 1, 100)
    chosen = choose_pictures(candidates, ["person"], 50, 7)
    assert Counter(len(picture.boxes) for picture in chosen) == {1: 47, 0: 3}


def test_who_lies_has_a_share() -> None:
    lie = [replace(each, boxes=each.boxes[:, [1, 0, 3, 2]]) for each in some("one", "b", 1, 50)]
    assert lie[0].shows_lying("person")
    assert not replace(lie[0], visible=np.array([0.1])).shows_lying("person")
    assert not replace(lie[0], aspect=0.2).shows_lying("person"), "in a narrow picture"
    chosen = choose_pictures(some("one", "a", 1, 500) + lie, ["person"], 100, 7)
    assert sum(picture.shows_lying("person") for picture in chosen) >= 10


def test_a_turned_picture_shows_the_same_thing_in_its_box(tmp_path: Path) -> None:
    image = np.zeros((40, 80, 3), np.uint8)
    image[10:30, 60:64] = 255
    cv2.imwrite(str(tmp_path / "one.png"), image)
    box = np.array([[60 / 80, 10 / 40, 64 / 80, 30 / 40]])
    upright = Picture(tmp_path / "one.png", None, "s", "g", np.array(["person"]), box, np.ones(1), 2.0)
    for quarters in (0, 1, 2, 3, 5):
        turned = upright.turn_left(quarters)
        shown = turned.image()
        height, width = shown.shape[:2]
        assert turned.aspect == width / height
        x0, y0, x1, y1 = (turned.boxes[0] * (width, height, width, height)).round().astype(int)
        assert (shown[y0:y1, x0:x1] == 255).all()
        assert (shown == 255).sum() == (x1 - x0) * (y1 - y0) * 3
        saved = decode_jpeg(turned.save(tmp_path / f"copy{quarters}").read_bytes())
        assert np.abs(saved.astype(int) - shown).max() < 60
    assert upright.turn_left(1).shows_lying("person") and not upright.shows_lying("person")


def test_some_are_turned_and_the_seed_says_which() -> None:
    candidates = some("one", "a", 2, 100)
    chosen = turn_some(candidates, 0.3, 7)
    assert Counter(picture.quarters for picture in chosen).keys() == {0, 1, 3}
    assert sum(picture.quarters > 0 for picture in chosen) == 30
    assert [p.quarters for p in turn_some(candidates, 0.3, 7)] == [p.quarters for p in chosen]
    assert turn_some(candidates, 0.0, 7) == candidates


def test_bags_are_looked_for() -> None:
    candidates = some("one", "a", 1, 100) + [with_bag(picture) for picture in some("one", "b", 1, 4)]
    chosen = choose_pictures(candidates, ["person", "bag"], 20, 7)
    assert len(chosen) == 20
    assert sum(picture.is_countable("bag").any() for picture in chosen) >= 3
    assert len({(picture.group, picture.position) for picture in chosen}) == 20


def test_the_seed_and_nothing_else_decides() -> None:
    candidates = some("one", "a", 1, 100) + some("two", "b", 2, 100)
    places = [[picture.position for picture in choose_pictures(candidates, ["person"], 10, seed)] for seed in (1, 1, 2)]
    assert places[0] == places[1] != places[2]


def test_fewer_than_wanted_are_all() -> None:
    candidates = some("one", "a", 1, 5) + some("one", "b", 0, 1)
    assert len(choose_pictures(candidates, ["person"], 100, 7)) == 6
    assert choose_pictures([], ["person"], 10, 7) == []


def test_labels_are_the_middle_and_size_of_what_counts(tmp_path: Path) -> None:
    recorded(
        "a", [(0, [64, 48, 320, 240], "person", 1.0), (0, [0, 0, 32, 24], "bag", 1), (0, [0, 0, 9, 9], "bag", 0.1)]
    )
    assert write_dataset(pictures("a"), ("person", "bag"), tmp_path / "set", "train") == 3
    lines = (tmp_path / "set/labels/train/000000.txt").read_text().split("\n")
    assert lines == ["0 0.300000 0.300000 0.400000 0.400000", "1 0.025000 0.025000 0.050000 0.050000", ""]
    assert (tmp_path / "set/labels/train/000001.txt").read_text() == ""
    assert decode_jpeg((tmp_path / "set/images/train/000002.jpg").read_bytes())[0, 0, 0] == 6


def yolo_set(folder: Path) -> Path:
    """Two pictures to train on, one to validate on, as YOLO keeps them."""
    for split, names in (("train", ("a", "b")), ("val", ("c",))):
        (folder / "images" / split).mkdir(parents=True)
        (folder / "labels" / split).mkdir(parents=True)
        for name in names:
            cv2.imwrite(str(folder / "images" / split / f"{name}.png"), np.zeros((40, 80, 3), np.uint8))
    (folder / "labels/train/a.txt").write_text("1 0.5 0.5 0.2 0.4\n0 0.1 0.1 0.1 0.1\n")
    (folder / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [dog, person]\n")
    return folder / "data.yaml"


def test_a_yolo_dataset(tmp_path: Path) -> None:
    classes, train, val = read_yolo_dataset(yolo_set(tmp_path / "set"))
    assert classes == ("dog", "person")
    assert [picture.file.name for picture in train + val] == ["a.png", "b.png", "c.png"]
    np.testing.assert_allclose(train[0].boxes[0], [0.4, 0.3, 0.6, 0.7])
    assert train[0].classes.tolist() == ["person", "dog"]
    assert train[0].image().shape == (40, 80, 3)
    assert write_dataset(train, classes, tmp_path / "copy", "train") == 2
    assert (tmp_path / "copy/images/train/000000.png").exists()
    assert (tmp_path / "copy/labels/train/000000.txt").read_text().startswith("0 0.100000")


def test_a_list_of_pictures_and_names_by_number(tmp_path: Path) -> None:
    description = yolo_set(tmp_path / "set")
    (tmp_path / "set/list.txt").write_text("images/train/b.png\n")
    description.write_text(
        f"path: {tmp_path / 'set'}\ntrain: list.txt\nval: [images/val, images/train]\nnames: {{0: dog, 1: cat}}\n"
    )
    classes, train, val = read_yolo_dataset(description)
    assert classes == ("dog", "cat")
    assert [len(train), len(val)] == [1, 3]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("images/val", "images/none", "images/none: no pictures there"),
        ("names:", "nomes:", "Expected a data.yaml with path, train, val and names"),
        ("person]", "person", "no YOLO dataset"),
    ],
)
def test_what_is_wrong_with_a_dataset_is_said(tmp_path: Path, old: str, new: str, message: str) -> None:
    description = yolo_set(tmp_path / "set")
    description.write_text(description.read_text().replace(old, new))
    with pytest.raises(VigilError, match=message):
        read_yolo_dataset(description)


def test_a_picture_of_the_users_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    _, train, _ = read_yolo_dataset(yolo_set(tmp_path / "set"))
    train[0].file.write_bytes(train[0].file.read_bytes()[:40])
    with pytest.raises(VigilError) as caught:
        train[0].image()
    assert str(caught.value).startswith(f"{tmp_path}/set/images/train: a.png: not an image that can be decoded")
    assert "replace or remove it" in str(caught.value) and not isinstance(caught.value, Rejected)


@pytest.mark.parametrize("line", ["2 0.5 0.5 0.1 0.1", "-1 0.5 0.5 0.1 0.1", "0 0.5 x 0.1 0.1", "0 0.5 0.5"])
def test_a_label_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    description = yolo_set(tmp_path / "set")
    (tmp_path / "set/labels/val/c.txt").write_text(line)
    with pytest.raises(VigilError, match=r"labels/val/c\.txt: expected lines of class x y width height"):
        read_yolo_dataset(description)
