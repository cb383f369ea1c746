"""A label that a model does not know: what it counts as, and that nothing is left out without a word."""

from collections.abc import Mapping
from typing import Any

import pytest

from judging import CLASSES, load_model, video
from vigil.cli.labels import match_labels
from vigil.core.errors import VigilError
from vigil.models.checkpoint import Card

POSES = {"normal": ["normal"], "theft": ["theft", "Stealing"], "assault": ["assault", "Fighting"]}


def card(model: str = "crime_gate", classes: Mapping[str, Any] = CLASSES) -> Card:
    return load_model(model, dict(classes)).card


def match(model: Card, *labels: str, **class_of_label: str) -> tuple[list[str], dict[str, str | None]]:
    """The labels that are left, as the model knows them, and what became of the others."""
    videos = [video(f"v{number}", label) for number, label in enumerate(labels)]
    matched, decided = match_labels(model, videos, class_of_label)
    return [each.label for each in matched], decided


def test_to_a_model_of_two_classes_all_that_is_not_ordinary_is_abnormal(capsys: pytest.CaptureFixture[str]) -> None:
    labels, decided = match(card(), "normal", "fight", "fight", "Arson", "dynamic", "crime")
    assert labels == ["normal", "Arson", "Arson", "Arson", "normal", "Arson"]
    assert decided == {"fight": "crime", "dynamic": "normal", "crime": "crime"}
    (line,) = capsys.readouterr().err.splitlines()
    assert line == ("crime_gate: crime (1 video) counts as crime, dynamic (1 video) counts as normal, fight (2 videos) "
                    "counts as crime; --as LABEL=CLASS says otherwise")  # fmt: skip


def test_labels_that_it_knows_need_no_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert match(card(), "normal", "Arson", "static") == (["normal", "Arson", "static"], {})
    assert not capsys.readouterr().err


def test_to_a_model_of_normal_alone_all_else_is_abnormal() -> None:
    assert match(card("panic", {"normal": ["normal"]}), "normal", "fight") == (
        ["normal", "fight"],
        {"fight": "abnormal"},
    )


def test_to_a_model_of_what_moves_whatever_is_not_static_moves() -> None:
    activity = card("activity", {"static": ["static"], "dynamic": ["panic"]})
    assert match(activity, "static", "normal", "fight", "dynamic") == (
        ["static", "panic", "panic", "panic"],
        {"normal": "dynamic", "fight": "dynamic", "dynamic": "dynamic"},
    )


def test_of_a_model_of_several_classes_the_user_has_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    poses = card("pose_lstm", POSES)
    assert match(poses, "normal", "static", "fight", "fighting") == (
        ["normal", "normal"],
        {"static": "normal", "fight": None, "fighting": None},
    )
    first, second = capsys.readouterr().err.splitlines()
    assert first == "pose_lstm: static (1 video) counts as normal; --as LABEL=CLASS says otherwise"
    assert "warning: 2 videos are left out: it does not know the labels fight (1 video), fighting (1 video)." in second
    assert "--as fight=CLASS --as fighting=CLASS, a class being one of normal, theft, assault." in second
    assert second.endswith("Did you mean 'Fighting'?"), "case is no hindrance"
    assert match(poses, "normal", "fight", fight="assault") == (["normal", "assault"], {"fight": "assault"})
    assert match(poses, "normal", "fight", fight="Fighting")[1] == {"fight": "assault"}, "its labels will do too"
    assert "left out" not in capsys.readouterr().err


def test_what_the_user_says_wins_and_nothing_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert match(card(), "normal", "fight", "Arson", fight="normal", Arson="") == (
        ["normal", "normal"],
        {"fight": "normal", "Arson": None},
    )
    assert "Arson (1 video) is left out, fight (1 video) counts as normal" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("labels", "class_of_label", "problem"),
    [
        (("normal", "fight"), {"fihgt": "crime"}, r"no video has that label\. There are: fight, normal\..*'fight'"),
        (("normal", "fight"), {"fight": "crme"}, r"no such class\. Expected one of normal, crime;.*'crime'"),
        (("fight",), {"fight": ""}, r"no video is left to judge: fight \(1 video\) is left out"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_one_line(
    labels: tuple[str, ...], class_of_label: dict[str, str], problem: str
) -> None:
    with pytest.raises(VigilError, match=problem):
        match(card(), *labels, **class_of_label)


def test_a_model_that_names_crimes_has_no_use_for_what_is_ordinary(capsys: pytest.CaptureFixture[str]) -> None:
    crimes = card("pose_lstm", {"Arson": ["Arson"], "Fighting": ["Fighting"]})
    assert match(crimes, "normal", "Arson") == (["Arson"], {"normal": None})
    assert capsys.readouterr().err == "pose_lstm: normal (1 video) is left out; --as LABEL=CLASS says otherwise\n"
    with pytest.raises(VigilError, match=r"no video is left to judge: it does not know the labels riot \(1 video\)"):
        match(crimes, "normal", "riot")
