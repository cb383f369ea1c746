"""Stage compare: what it writes of models that were evaluated, and of those that were not."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from browsers import opened as open_page
from verdicts import MODELS, ModelSketch, city, video
from verdicts import project as write_project

from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays, read_json, read_table, save_arrays, write_json
from vigil.footage.video_table import write as write_videos
from vigil.report.results import render_tables
from vigil.stages import compare


def compare_models(root: Path, models: dict[str, Any], videos: int = 300) -> tuple[dict[str, Any], str]:
    compare.main(
        metrics=root / "metrics/models",
        card=root / "metrics/data.json",
        person=root / "metrics/person.json",
        landmarks=root / "metrics/landmarks.json",
        flow=root / "metrics/flow.json",
        scores=root / "data/scores",
        baselines=root / "data/baselines",
        calibrations=root / "models/calibration",
        histories=root / "metrics/history",
        points=root / "metrics/points",
        frames=root / "data/frames",
        test=root / "data/manifest/test.csv",
        out=root / "metrics/summary.json",
        headline=root / "metrics/headline",
        fusion=root / "models/fusion.json",
        report=root / "metrics/report.html",
        plots=root / "metrics/plots",
        params=compare.Params(rounds=200, seed=7, videos=videos),
        models=models,
    )
    return read_json(root / "metrics/summary.json"), (root / "metrics/report.html").read_text()


VOID = {"circle", "img", "line", "link", "meta", "path", "rect"}  # elements of the page without an end tag


class Checker(HTMLParser):
    """Every element is closed, every id is there once, every link within the page leads somewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.names.append(tag)
        self.ids += [attributes["id"] or ""] if "id" in attributes else []
        self.links += [(attributes["href"] or "")[1:]] if (attributes.get("href") or "").startswith("#") else []
        if tag == "img":
            assert attributes.get("alt"), "a picture without words"
            assert (attributes.get("src") or "").startswith("data:")
        if tag == "svg":
            assert attributes.get("aria-label"), "a picture without words"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def check(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    assert not checker.open
    assert len(set(checker.ids)) == len(checker.ids)
    assert set(checker.links) <= set(checker.ids)
    assert "script" not in checker.names
    assert not re.search(r"https?://", page), "an address of somewhere else"
    return checker


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder of a project whose models are evaluated, and its section `models` of params.yaml."""
    root = tmp_path_factory.mktemp("project")
    return root, write_project(root)


@pytest.fixture(scope="module")
def outputs(evaluated: tuple[Path, dict[str, Any]]) -> tuple[dict[str, Any], str]:
    """The summary and the report."""
    return compare_models(*evaluated)


@pytest.fixture
def copied(evaluated: tuple[Path, dict[str, Any]], tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    shutil.copytree(evaluated[0], tmp_path / "copy")
    return tmp_path / "copy", evaluated[1]


class TestSummary:
    def test_each_model_is_known_by_what_it_is_about(self, outputs: tuple[dict[str, Any], str]) -> None:
        headlines = {name: model["headline"] for name, model in outputs[0]["models"].items()}
        assert headlines == {
            "panic": "video_auc",
            "pose_lstm": "video_auc",
            "gate": "video_auc",
            "namer": "balanced_accuracy",
            "activity": "cell_auc",
        }
        assert list(outputs[0]["models"]) == sorted(MODELS)

    def test_a_model_with_skill_beats_what_needs_none_and_the_value_is_its_evaluation(self, tmp_path: Path) -> None:
        skilled = {name: MODELS[name] for name in ("namer", "panic")}
        models = write_project(tmp_path, skilled, sources=24, pictures=False)
        summary = compare_models(tmp_path, models)[0]["models"]
        for name, metric in (("namer", "balanced_accuracy"), ("panic", "video_auc")):
            assert summary[name]["beats_baselines"] is True
            assert summary[name]["baseline"]["apart"]["low"] > 0.1, "not by a hair"
            assert summary[name]["n"] == 24
            assert summary[name]["value"] == read_json(tmp_path / f"metrics/models/{name}.json")[metric]["value"]

    def test_only_models_of_the_same_question_are_paired(self, outputs: tuple[dict[str, Any], str]) -> None:
        pairs = set(outputs[0]["pairs"])
        assert "fused over panic" in pairs and "pose_lstm over gate" in pairs
        assert not any("namer" in pair or "activity" in pair for pair in pairs)
        assert "panic over pose_lstm" not in pairs  # no abnormal video that both judge

    def test_the_fused_detector_fuses_those_that_raise_alarms(
        self, evaluated: tuple[Path, dict[str, Any]], outputs: tuple[dict[str, Any], str]
    ) -> None:
        fused = outputs[0]["fused"]
        assert fused["models"] == ["gate", "panic", "pose_lstm"]
        assert fused["low"] <= fused["value"] <= fused["high"]
        saved = read_json(evaluated[0] / "models/fusion.json")
        assert saved["fusion"]["models"] == fused["models"] and saved["calibration"]["sha256"]

    def test_the_fused_detector_is_fitted_on_validation_alone(self, copied: tuple[Path, dict[str, Any]]) -> None:
        root, models = copied
        before = (root / "models/fusion.json").read_bytes()
        for name in models:
            path = root / f"data/scores/{name}/test.npz"
            arrays = load_arrays(path)
            save_arrays(path, **arrays | {"score": -arrays["score"], "video_score": -arrays["video_score"]})
        compare_models(root, models)
        assert (root / "models/fusion.json").read_bytes() == before

    def test_the_same_input_gives_the_same_bytes(
        self, outputs: tuple[dict[str, Any], str], copied: tuple[Path, dict[str, Any]]
    ) -> None:
        assert compare_models(*copied) == outputs

    def test_the_table_has_a_line_for_each(self, outputs: tuple[dict[str, Any], str]) -> None:
        lines = render_tables({"summary": outputs[0]}).splitlines()
        assert [line.split()[1] for line in lines[2:8]] == [*sorted(MODELS), "fused"]
        assert len({len(line) for line in lines[:8]}) == 1


class TestReport:
    def test_it_is_sound_and_stands_alone(self, outputs: tuple[dict[str, Any], str]) -> None:
        checker = check(outputs[1])
        assert {"results", "data", "videos", "models", "features", "caveats", "model-fused"} <= set(checker.ids)

    def test_every_test_video_is_there_with_pictures(self, outputs: tuple[dict[str, Any], str]) -> None:
        for tested in city("test"):
            assert f"<h4>{tested.stem}<" in outputs[1]
        assert outputs[1].count('class="film"') >= len(city("test"))

    def test_it_shows_attention_maps_and_mistakes(self, outputs: tuple[dict[str, Any], str]) -> None:
        for words in (
            "of the attention",
            "Agrees with the truth",
            "False alarm, probability",
            "Leak audit",
            "names it",
        ):
            assert words in outputs[1]

    def test_what_beats_nothing_is_said_so(self, tmp_path: Path) -> None:
        models = write_project(
            tmp_path, {"blind": ModelSketch({"normal": ["normal"], "theft": ["theft"]}, 0.0)}, pictures=False
        )
        summary, page = compare_models(tmp_path, models)
        assert summary["models"]["blind"]["beats_baselines"] is False
        assert "None is clearly better than what needs no model" in page
        assert "There is no fused detector" in page

    def test_names_of_files_are_no_markup(self, tmp_path: Path) -> None:
        test = [*city("test", 2), video("set/<script>alert(1)</script>", "theft", '"><b>', "test", [(1, 3)])]
        models = {"a": ModelSketch({"normal": ["normal"], "theft": ["theft"]})}
        check(compare_models(tmp_path, write_project(tmp_path, models, pictures=False, test=test))[1])

    def test_of_many_videos_the_worst_are_shown_and_the_cut_is_told(self, copied: tuple[Path, dict[str, Any]]) -> None:
        root, models = copied
        page = compare_models(root, models, videos=4)[1]
        assert page.count('<article class="video"') == 4 and "26 more videos" in page

    @pytest.mark.parametrize("width", [390, 1280])
    def test_a_browser_shows_it_without_a_word_of_complaint(
        self, evaluated: tuple[Path, dict[str, Any]], outputs: tuple[dict[str, Any], str], width: int, tmp_path: Path
    ) -> None:
        (tmp_path / "report.html").write_text(outputs[1])
        requests, complaints, measured = open_page(tmp_path / "report.html", width, tmp_path / "profile")
        scroll, inner, images, blank, wide = measured.split(" ")
        assert not complaints
        assert sorted(requests) == [f"/measure-{width}.html", "/report.html"]
        assert (int(scroll), wide) == (int(inner), "none"), "wider than the window"
        assert int(images) > 100 and int(blank) == 0


class TestWhatIsMissing:
    def test_a_model_without_metrics_is_named_and_the_others_are_compared(
        self, copied: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        root, models = copied
        (root / "metrics/models/panic.json").unlink()
        summary, page = compare_models(root, models)
        assert summary["models"]["panic"]["value"] is None
        assert "metrics/models/panic.json: run `dvc repro evaluate@panic`" in summary["models"]["panic"]["reason"]
        assert summary["models"]["gate"]["value"] is not None and "panic" not in summary["fused"]["models"]
        assert "Not judged: no " in page and "compare: warning: panic" in capsys.readouterr().err
        check(page)

    def test_nothing_at_all_is_a_page_that_says_so(self, tmp_path: Path) -> None:
        write_videos(tmp_path / "data/manifest/test.csv", [])
        (tmp_path / "metrics").mkdir()
        summary, page = compare_models(tmp_path, {"panic": {"classes": {"normal": ["normal"]}}})
        assert "fused" not in summary and summary["pairs"] == {}
        for words in ("No model has a result", "There is no video in the test split", "There is no dataset card"):
            assert words in page
        check(page)
        assert "panic" in render_tables({"summary": summary})

    def test_a_test_split_of_one_kind_gives_reasons_and_no_number(self, tmp_path: Path) -> None:
        test = [tested for tested in city("test") if tested.label == "normal"]
        models = {name: MODELS[name] for name in ("panic", "gate")}
        summary, page = compare_models(tmp_path, write_project(tmp_path, models, pictures=False, test=test))
        assert summary["models"]["panic"]["value"] is None
        assert summary["models"]["panic"]["reason"] == "nothing abnormal here"
        assert "nothing abnormal here" in page
        check(page)

    def test_scores_of_other_weights_are_refused(self, copied: tuple[Path, dict[str, Any]]) -> None:
        root, models = copied
        path = root / "data/scores/gate/test.npz"
        save_arrays(
            path,
            **load_arrays(path) | {"model_sha256": load_arrays(root / "data/scores/panic/test.npz")["model_sha256"]},
        )
        with pytest.raises(VigilError, match=r"gate/test\.npz: of other weights than .*dvc repro evaluate@gate"):
            compare_models(root, models)

    def test_what_is_known_of_features_is_told(self, copied: tuple[Path, dict[str, Any]]) -> None:
        root, models = copied
        write_json(
            root / "metrics/landmarks.json", {"recall": {"value": 0.9, "low": 0.8, "high": 0.95}, "by_source": {}}
        )
        write_json(root / "metrics/flow.json", {"reason": "no video has a truth"})
        page = compare_models(root, models)[1]
        assert "Landmarks, against the truth" in page and "0.8 to 0.95" in page
        assert "Optical flow: no video has a truth" in page


def test_a_model_that_is_gone_leaves_no_number(tmp_path: Path) -> None:
    models = write_project(tmp_path, pictures=False)
    compare_models(tmp_path, models)
    assert (tmp_path / "metrics/headline/models/panic.json").exists()
    models.pop("panic")
    compare_models(tmp_path, models)
    assert not (tmp_path / "metrics/headline/models/panic.json").exists()
    assert "panic" not in {row["model"] for row in read_table(tmp_path / "metrics/plots/roc.csv")}
