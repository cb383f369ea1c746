"""Labels, spans, splits and sources of a folder of one's own."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import corpora
import pytest

from vigil.core.errors import VigilError
from vigil.engine.per_video import Runtime
from vigil.footage.datasets import folder
from vigil.footage.listing.records import Listing, Row

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
ROOT = Path("mine")


def bring(*paths: str, **keys: Any) -> Listing:
    """What comes out of a folder with these videos."""
    for path in paths:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(path)
    params = folder.Params(path=str(ROOT), **keys)
    return folder.videos("mine", params, folder.sources("mine", params), Path("raw"), Path("truth"), SERIAL)


def rows(listing: Listing) -> dict[str, Row]:
    return {row.origin.removeprefix("mine/"): row for row in listing.rows}


def refused(listing: Listing) -> dict[str, str]:
    return {reject.path.removeprefix("mine/"): reject.reason for reject in listing.rejects}


def note(path: str, **record: Any) -> None:
    (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
    (ROOT / path).write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("path", "split", "label"),
    [
        ("train/normal/a.mp4", "train", "normal"),
        ("Test/Abnormal/deep/er/a.mp4", "test", "anomaly"),
        ("validation/anomaly/a.mp4", "val", "anomaly"),
        ("Road rage/a.mp4", "", "Road rage"),
        ("normal/train/a.mp4", "", "normal"),  # below its class, a folder is just a folder
    ],
)
def test_the_place_tells_split_and_label(path: str, split: str, label: str) -> None:
    row = rows(bring(path))[path]
    assert (row.split, row.label) == (split, label)


def test_a_video_without_a_label_is_rejected_unless_the_set_has_one() -> None:
    assert refused(bring("a.mp4", "train/b.mp4")).keys() == {"a.mp4", "train/b.mp4"}
    assert {row.label for row in bring(label="normal").rows} == {"normal"}


def test_files_of_other_kinds_are_not_seen() -> None:
    listing = bring("normal/a.mp4", "normal/README.md", "normal/a.txt", "normal/thumb.jpg", "normal/a.srt")
    assert rows(listing).keys() == {"normal/a.mp4"}
    assert listing.rejects == []


def test_each_video_is_its_own_source_by_default() -> None:
    assert [row.source for row in bring("normal/a.mp4", "normal/cam/b.mp4").rows] == ["mine/a", "mine/b"]


def test_a_source_may_be_the_folder_below_the_class() -> None:
    listing = bring("train/normal/cam1/a.mp4", "train/anomaly/cam1/b.mp4", "normal/c.mp4", source="folder")
    assert {path: row.source for path, row in rows(listing).items()} == {
        "train/normal/cam1/a.mp4": "mine/cam1",
        "train/anomaly/cam1/b.mp4": "mine/cam1",
        "normal/c.mp4": "mine/c",
    }


def test_a_source_may_be_found_by_a_pattern() -> None:
    listing = bring("normal/cam7_01.mp4", "fight/cam7_02.mp4", "fight/other.mp4", source=r"(cam\d+)_")
    assert [row.source for row in listing.rows] == ["mine/cam7", "mine/cam7"]
    assert refused(listing).keys() == {"fight/other.mp4"}


@pytest.mark.parametrize("rule", ["camera", "(a)(b)", "(unclosed"])
def test_a_wrong_source_rule_is_said(rule: str) -> None:
    with pytest.raises(VigilError, match=r"^here: source = "):
        folder.Params.read({"path": "mine", "source": rule}, "here")


def test_labels_csv_says_more_than_the_folders() -> None:
    ROOT.mkdir()
    (ROOT / "labels.csv").write_text(
        "video,label,spans,start_s,stop_s,source,split\n"
        'anomaly/a.mp4,fight,"[[1.5, 2], [4, 5.25]]",,,gate,val\n'
        "anomaly/b.mp4,,,1,2,,\nanomaly/b.mp4,,,0.5,0.75,,\n"
    )
    row_of = rows(bring("anomaly/a.mp4", "anomaly/b.mp4", "anomaly/c.mp4"))
    a, b, c = (row_of[f"anomaly/{name}.mp4"] for name in "abc")
    assert (a.label, a.source, a.split) == ("fight", "gate", "val")
    assert a.spans == ((Fraction(3, 2), Fraction(2)), (Fraction(4), Fraction(21, 4)))
    assert b.spans == ((Fraction(1, 2), Fraction(3, 4)), (Fraction(1), Fraction(2)))
    assert (b.label, c.label, c.spans) == ("anomaly", "anomaly", ())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("anomaly/a.mp4,,,trian", "split 'trian' is none of train, val, test. Did you mean 'train'?"),
        ("anomaly/a.mp4,3,2,", "a span ends before it starts"),
        ("anomaly/a.mp4,nan,2,", "start_s = 'nan': expected seconds"),
        ("anomaly/a.mp4,1e999,2,", "start_s = '1e999': expected seconds"),
        ("anomaly/a.mp4,,2,", "start_s is empty: give both or neither, in seconds"),
        ("anomaly/a.mp4,1, ,", "stop_s is empty: give both or neither, in seconds"),
        ("anomaly/a.mp4,0:01,2,", "start_s = '0:01': expected seconds"),
    ],
)
def test_a_line_that_cannot_be_believed_rejects_its_video_alone(line: str, reason: str) -> None:
    ROOT.mkdir()
    (ROOT / "labels.csv").write_text(f"video,start_s,stop_s,split\n{line}\n")
    listing = bring("anomaly/a.mp4", "anomaly/b.mp4")
    assert rows(listing).keys() == {"anomaly/b.mp4"}
    assert refused(listing)["anomaly/a.mp4"].startswith("labels.csv line 2: ")
    assert reason in refused(listing)["anomaly/a.mp4"]


@pytest.mark.parametrize("path", ["../secret.mp4", "/etc/passwd", "out/secret.mp4", "normal/../../secret.mp4"])
def test_a_path_that_leads_out_is_refused_and_the_rest_goes_on(path: str) -> None:
    ROOT.mkdir()
    Path("secret.mp4").write_text("secret")
    (ROOT / "out").symlink_to(Path.cwd())
    (ROOT / "labels.csv").write_text(f"video,label\n{path},normal\n")
    note("normal/a.json", video_path=path, label="normal")
    listing = bring("normal/a.mp4")
    assert rows(listing).keys() == {"normal/a.mp4"}
    reasons = refused(listing)
    assert "names a path outside the dataset's folder" in reasons.pop("labels.csv")
    assert "names a path outside the dataset's folder" in reasons.pop("normal/a.json")
    assert reasons.keys() <= {"out"}


def test_a_name_in_a_file_without_a_video_is_rejected() -> None:
    ROOT.mkdir()
    (ROOT / "labels.csv").write_text("video,label\nnormal/typo.mp4,normal\n")
    note("normal/b.json", video_path="gone.mp4")
    note("normal/lonely.json", label="normal")
    reasons = refused(bring("normal/a.mp4"))
    assert (
        reasons["labels.csv"]
        == "line 2: names 'normal/typo.mp4', and there is no such video; run `vigil sync` if it is new"
    )
    assert reasons["normal/b.json"].startswith("names 'gone.mp4'")
    assert reasons["normal/lonely.json"] == "no video has its name, and it has no 'video_path'"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_is_read_as_spreadsheets_and_other_systems_write_it(end: str) -> None:
    ROOT.mkdir()
    table_lines = ["\ufeff Path ;LABEL;Spans", "", "anomaly\\cam\\a.mp4;fight;[[1, 2]]", "", "deep\\gone.mp4;fight;"]
    (ROOT / "labels.csv").write_bytes(end.join(table_lines).encode())
    listing = bring("anomaly/cam/a.mp4")
    row = rows(listing)["anomaly/cam/a.mp4"]
    assert (row.label, row.spans) == ("fight", ((Fraction(1), Fraction(2)),))
    assert refused(listing)["labels.csv"].startswith("line 5: names 'deep/gone.mp4', and there is no such video")


def test_a_misspelt_column_is_a_mistake() -> None:
    ROOT.mkdir()
    (ROOT / "labels.csv").write_text("video,lable\nnormal/a.mp4,normal\n")
    with pytest.raises(VigilError, match=r"^mine/labels.csv: unknown column 'lable'.*Did you mean 'label'\?"):
        bring("normal/a.mp4")
    (ROOT / "labels.csv").write_text("label\nnormal\n")
    with pytest.raises(VigilError, match=r"^mine/labels.csv: no column 'video'"):
        bring("normal/a.mp4")


def test_json_beside_a_video_says_more_than_its_folder() -> None:
    note("anomaly/a.json", label="fight", frame_annotations=[0, 1, 1, 0, 1])
    note("notes/b.json", video_path="../anomaly/b.mp4", label="panic", frame_annotations=[[2, 4], [9, 10]])
    note("notes/c.json", video_path="anomaly/c.mp4", label=1)
    note("notes/package.json", name="something else")
    row_of = rows(bring("anomaly/a.mp4", "anomaly/b.mp4", "anomaly/c.mp4"))
    a, b, c = (row_of[f"anomaly/{name}.mp4"] for name in "abc")
    assert (a.label, a.frame_spans, a.annotated_frames) == ("fight", ((1, 3), (4, 5)), 5)
    assert (b.label, b.frame_spans, b.annotated_frames) == ("panic", ((2, 4), (9, 10)), None)
    assert (c.label, c.frame_spans) == ("anomaly", ())


def test_one_json_may_speak_of_many_videos() -> None:
    ROOT.mkdir()
    (ROOT / "all.json").write_text(json.dumps([{"video_path": f"x/{name}.mp4", "label": name} for name in "ab"]))
    assert {path: row.label for path, row in rows(bring("x/a.mp4", "x/b.mp4")).items()} == {
        "x/a.mp4": "a",
        "x/b.mp4": "b",
    }


def test_a_folder_may_be_named_after_a_camera() -> None:
    ROOT.mkdir(parents=True)
    (ROOT / "labels.csv").write_text("video,label,start_s,stop_s\ntill/a.mp4,theft,0.1,0.2\ntill/b.mp4,normal,,\n")
    listing = bring("till/a.mp4", "till/b.mp4")
    assert {path: row.label for path, row in rows(listing).items()} == {"till/a.mp4": "theft", "till/b.mp4": "normal"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"label": "fight"', "not valid JSON"),
        ('{"label": ["fight"]}', "expected a class, normal, 0 or 1"),
        ('{"frame_annotations": [0, 2]}', "expected 0 or 1 for each frame, or pairs"),
        ('{"frame_annotations": [[5, 3]]}', "a pair ends before it starts"),
        ('{"frame_annotations": {"a": 1}}', "expected 0 or 1 for each frame, or pairs"),
        *(
            (
                f'{{"frame_annotations": [[1, 2], {pair}]}}',
                "a.json: frame_annotations: expected 0 or 1 for each frame, or",
            )
            for pair in ("[3, 4.5]", "[3.0, 4]", '["3", "4"]', "[false, true]", "[3]", "[3, 4, 5]", '"34"', "3", "null")
        ),
        ('{"frame_annotations": [0, 0, 0]}', "no frame is marked abnormal"),
        ('{"label": "normal"}', "its folder says anomaly, anomaly/a.json says normal"),
    ],
)
def test_a_json_file_that_cannot_be_believed_rejects_its_video_alone(text: str, reason: str) -> None:
    (ROOT / "anomaly").mkdir(parents=True)
    (ROOT / "anomaly/a.json").write_text(text)
    listing = bring("anomaly/a.mp4", "anomaly/b.mp4")
    assert rows(listing).keys() == {"anomaly/b.mp4"}
    assert reason in refused(listing)["anomaly/a.mp4"]
    assert str(Path.cwd()) not in refused(listing)["anomaly/a.mp4"]


def test_normal_with_a_span_is_a_contradiction() -> None:
    note("normal/a.json", frame_annotations=[[1, 2]])
    assert "normal, and yet a part of it is marked abnormal" in refused(bring("normal/a.mp4"))["normal/a.mp4"]


def test_an_edited_annotation_is_a_change_for_sync() -> None:
    note("anomaly/a.json", frame_annotations=[[1, 2]])
    bring("anomaly/a.mp4")
    params = folder.Params(path=str(ROOT))
    before = folder.sources("mine", params)
    note("anomaly/a.json", frame_annotations=[[1, 3]])
    after = folder.sources("mine", params)
    assert [source.path for source in before if source not in after] == ["anomaly/a.json"]


def test_a_table_that_cannot_be_read_stops_the_run(tmp_path: Path) -> None:
    ROOT.mkdir()
    Path("elsewhere.csv").write_text("video,label\n")
    (ROOT / "labels.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(VigilError, match=r"^mine/labels.csv: a link that leads out"):
        bring("normal/a.mp4")


def test_real_videos_are_pointed_to_and_not_copied() -> None:
    clip = corpora.clip(ROOT / "normal/a.mp4")
    listing = bring()
    assert listing.rows[0].path == "raw/mine/a.mp4"
    pointer = json.loads(Path("raw/mine/a.mp4.link.json").read_text())
    assert pointer["path"] == "mine/normal/a.mp4"
    assert pointer["size"] == clip.stat().st_size
