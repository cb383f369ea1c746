"""A finished training goes on as if it had never ended, or lends its weights to a new one."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from toy_training import EVERYTHING, StoppedError, largest_difference, same, toy
from toys import Cloud, Toy, settings

from vigil.core.errors import VigilError
from vigil.core.storage import sha256_file
from vigil.training.fit import FittedModel, fit
from vigil.training.resume import EndState
from vigil.training.schedules import TrainParams
from vigil.training.training_file import FILE, SavedTraining, read_training, write_training
from vigil.training.warm_start import WarmStart, begin_from, find_warm_start

STEADY = EVERYTHING | {"schedule": "none"}  # whose rate does not depend on how many epochs are planned
OUT = Path("models/toy")


def train(epochs: int, earlier: EndState | None = None, **options: Any) -> FittedModel:
    fit_options = {key: options.pop(key) for key in ("resume", "report") if key in options}
    torch.manual_seed(0)
    model, samples = toy(), (Cloud(50), Cloud(21, seed=1))
    params = settings(**STEADY | options | {"epochs": epochs})
    return fit(model, 2, *samples, params, "toy", earlier=earlier, **fit_options)


def written(fitted: FittedModel, path: Path = Path(FILE), data_hash: str = "data") -> Path:
    assert fitted.end is not None
    write_training(path, SavedTraining("toy", data_hash, [fitted.end]))
    return path


def go_on(path: Path, epochs: int, data_hash: str = "data", **options: Any) -> FittedModel:
    (earlier,) = ends(path, epochs=epochs, data_hash=data_hash)
    return train(epochs, earlier, **options)


def ends(path: Path, model: Any = None, data_hash: str = "data", count: int = 1, **changes: Any) -> list[EndState]:
    start = WarmStart("resume_from", str(path), path, sha256_file(path))
    params = settings(**STEADY | changes)
    return begin_from(start, [model or toy() for _ in range(count)], "toy", data_hash, params) or []


def refused(act: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(VigilError) as caught:
        act(*arguments, **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("changes", [{}, {"optimiser": "adam", "ema": 0.0, "warmup": 0.0}, {"schedule": "plateau"}])
def test_six_epochs_and_six_more_are_twelve(changes: dict[str, Any]) -> None:
    whole = train(12, **changes)
    resumed = go_on(written(train(6, **changes)), 12, **changes)
    assert same(resumed, whole)
    assert written(resumed, Path("two.safetensors")).read_bytes() == written(whole).read_bytes()


def test_a_cosine_goes_on_where_that_of_all_epochs_would_be() -> None:
    resumed = go_on(written(train(6, schedule="cosine")), 12, schedule="cosine")
    rates = [row["lr"] for row in train(12, schedule="cosine").history]
    assert [row["lr"] for row in resumed.history[6:]] == rates[6:]
    assert resumed.history[6]["lr"] > resumed.history[5]["lr"]  # which had come down to nearly nothing


def test_a_training_that_goes_on_can_be_killed_too() -> None:
    def stop(row: Any) -> None:
        if row["epoch"] == 8:
            raise StoppedError

    path = written(train(6))
    whole = train(12)
    with pytest.raises(StoppedError):
        go_on(path, 12, resume=Path("state.pt"), report=stop)
    resumed = go_on(path, 12, resume=Path("state.pt"))
    assert same(resumed, whole)
    two, one = written(resumed, Path("two.safetensors")), written(whole, Path("one.safetensors"))
    assert two.read_bytes() == one.read_bytes()
    assert same(go_on(path, 12), whole)  # nothing of the earlier training was changed on the way


def test_an_interrupted_training_leaves_the_same_file() -> None:
    """Names that a process has read, and not made, are other objects; their bytes must not differ for it."""

    def stop(row: Any) -> None:
        if row["epoch"] == 3:
            raise StoppedError

    whole = written(train(6)).read_bytes()
    with pytest.raises(StoppedError):
        train(6, resume=Path("state.pt"), report=stop)
    assert written(train(6, resume=Path("state.pt"))).read_bytes() == whole
    assert written(train(6, resume=Path("state.pt"))).read_bytes() == whole  # finished already, and only read


def test_every_member_goes_on_with_what_was_its_own() -> None:
    first, second = train(6), train(6, seed=8)
    assert first.end is not None and second.end is not None
    write_training(Path(FILE), SavedTraining("toy", "data", [first.end, second.end]))
    one, two = ends(Path(FILE), epochs=12, count=2)
    assert same(train(12, one), train(12))
    assert same(train(12, two, seed=8), train(12, seed=8))


def test_the_optimiser_remembers_and_takes_the_settings_of_now() -> None:
    path = written(train(6))
    (earlier,) = ends(path, epochs=7)
    moments = {name: memory["exp_avg"].abs().sum() for name, memory in earlier.state["optimiser"].items()}
    assert set(moments) == set(dict(toy().named_parameters())) and min(moments.values()) > 0
    fitted = train(7, earlier, lr=0.5)
    assert fitted.history[-1]["lr"] == 0.5
    earlier.state["optimiser"] = {}
    assert not same(train(7, earlier, lr=0.5), fitted)


def test_other_samples_choose_a_best_epoch_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    path = written(train(6))
    fitted = go_on(path, 8, data_hash="other data")
    assert fitted.best["epoch"] > 6
    assert "its samples are others" in capsys.readouterr().out


def test_what_has_no_epoch_left_is_refused() -> None:
    path = written(train(6))
    assert "a training of 6 epochs, and train.epochs is 6, which counts those too" in refused(ends, path, epochs=6)
    stopped = train(30, patience=1, lr=0.1)
    assert len(stopped.history) < 30
    path = written(stopped)
    assert "nothing became better. Raise train.patience (1)" in refused(ends, path, epochs=40, patience=1)
    assert len(train(len(stopped.history) + 2, ends(path, epochs=40)[0]).history) == len(stopped.history) + 2


def test_the_state_of_another_training_is_refused() -> None:
    path = written(train(6))
    assert "net.4.bias: 2 float32 found, 3 float32 expected. Give models.toy the classes" in refused(
        ends, path, Toy(3), epochs=9
    )
    assert "1 members found, 2 expected" in refused(ends, path, epochs=9, count=2)
    assert train(6).end is not None
    write_training(path, SavedTraining("panic", "data", [train(6).end]))  # type: ignore[list-item]
    assert "a training of panic. Name one of toy" in refused(ends, path, epochs=9)


@pytest.mark.parametrize("kind", ["pickle", "weights", "cut", "header"])
def test_what_is_no_state_of_a_training_is_one_line(kind: str) -> None:
    path = written(train(6))
    whole = path.read_bytes()
    if kind == "pickle":
        torch.save({"a": 1}, path)
    elif kind == "weights":
        save_file(toy().state_dict(), path)
    elif kind == "cut":
        path.write_bytes(whole[:-9])
    else:
        (length,) = struct.unpack("<Q", whole[:8])
        header = json.loads(whole[8 : 8 + length])
        header["__metadata__"]["training"] = header["__metadata__"]["training"].replace("epochs_since_best", "gone")
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + whole[8 + length :])
    assert "not the state of a training" in refused(read_training, path)


def find(out: Path = OUT, **changes: Any) -> WarmStart | None:
    return find_warm_start(settings(**changes), "toy", out)


@pytest.mark.parametrize("key", ["start_from", "resume_from"])
def test_the_file_is_found_where_the_path_may_point(key: str) -> None:
    name = {"start_from": "weights.safetensors", "resume_from": FILE}[key]
    file = Path("kept/toy") / name
    file.parent.mkdir(parents=True)
    file.write_bytes(b"content")
    for source in (file, file.parent, Path("kept"), file.absolute()):
        found = find(**{key: str(source)})
        assert found is not None
        assert (found.path.resolve(), found.sha256, found.key) == (file.resolve(), sha256_file(file), key)
    assert find(**{key: "kept", f"{key}_sha256": sha256_file(file)}) is not None
    assert f"{key}_sha256 says {'0' * 64}. Bring the right file" in refused(
        find, **{key: "kept", f"{key}_sha256": "0" * 64}
    )
    assert f"train.{key} = 'kept/toi': no such file, and no folder with {name}" in refused(find, **{key: "kept/toi"})


def test_a_path_that_dvc_empties_is_refused_with_what_to_do() -> None:
    written(train(6), OUT / FILE)
    for source in (OUT, "models", OUT / FILE):
        text = refused(find, resume_from=str(source))
        assert "DVC empties before the training begins" in text and "dvc checkout models/toy" in text


def test_nothing_named_is_nothing_found() -> None:
    assert find() is None


def test_weights_or_all_and_not_both() -> None:
    assert "choose one" in refused(settings, start_from="a", resume_from="b")
    assert "start_from_sha256 = 'abc'" in refused(settings, start_from_sha256="abc")


def start(path: Path, networks: list[Any], params: TrainParams | None = None) -> None:
    warm = WarmStart("start_from", str(path), path, sha256_file(path))
    assert begin_from(warm, networks, "toy", "data", params or settings()) is None


def test_a_start_takes_weights_alone() -> None:
    first, path = train(6), Path("weights.safetensors")
    save_file(first.weights, path)
    network = Toy()
    start(path, [network])
    assert all(torch.equal(first.weights[name], value) for name, value in network.state_dict().items())
    fitted = fit(network, 2, Cloud(50), Cloud(21, seed=1), settings(epochs=1, lr=1e-9), "toy")
    assert [row["epoch"] for row in fitted.history] == [1]
    weights = {name: value for name, value in fitted.weights.items() if "running" not in name and "num_" not in name}
    assert max(float((first.weights[name] - value).abs().max()) for name, value in weights.items()) < 1e-6
    assert largest_difference(first, first) == 0


def test_members_take_their_own_or_all_the_same() -> None:
    path = Path("weights.safetensors")
    one, two = Toy(), Toy()
    save_file(one.state_dict(), path)
    networks = [Toy(), Toy()]
    start(path, networks)
    assert all(torch.equal(each.net[0].weight, one.net[0].weight) for each in networks)
    members = {
        f"members.{number}.{name}": tensor.clone()
        for number, model in enumerate((one, two))
        for name, tensor in model.state_dict().items()
    }
    save_file(members, path)
    start(path, networks)
    assert torch.equal(networks[1].net[0].weight, two.net[0].weight)
    assert "2 members found, 1 expected. Set models.toy.members to 2" in refused(start, path, [Toy()])


def test_weights_of_another_shape_are_one_line() -> None:
    path = Path("weights.safetensors")
    save_file(Toy(3).state_dict(), path)
    text = refused(start, path, [Toy()])
    assert text.startswith(
        "toy: train.start_from = 'weights.safetensors': net.4.bias: 3 float32 found, 2 float32 expected. Give "
    )
    save_file(Toy(norm=False).state_dict(), path)
    assert "net.0.bias: 16 float32 found, nothing expected" in refused(start, path, [Toy()])
    path.write_bytes(b"PK\x03\x04")
    assert "no safetensors" in refused(start, path, [Toy()])
