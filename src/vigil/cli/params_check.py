"""Holds all of params.yaml against what the stages take, before the first of them runs.

What a stage takes is read out of its source, so nothing heavy is imported, and there is no second list of the keys.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from vigil import models, stages
from vigil.core import params
from vigil.core.errors import VigilError, near_miss
from vigil.core.params import Frozen
from vigil.engine.declarations import read_module
from vigil.engine.stage_runner import OPTIONS
from vigil.footage import video_table

MODELS, DATASETS = "models", "datasets"


def read_valid_params(path: Path) -> dict[str, Any]:
    """All of params.yaml; ends the command with a line for each problem where there are some."""
    sections = params.load(path)
    if problems := find_problems(sections):
        command = click.get_current_context().command_path
        raise click.ClickException("\n".join(f"{command}: {problem}" for problem in problems))
    return sections


def find_problems(sections: Mapping[str, Any]) -> list[str]:
    """Everything that some stage would refuse in params.yaml, a line each, in the order of the file."""
    declared = declared_sections()
    problems = [
        f"params.yaml: unknown section '{name}'. Known: {', '.join(declared)}.{near_miss(str(name), declared)}"
        for name in sections
        if name not in declared
    ]
    missing = [name for name in declared if name not in sections]
    problems += [
        f"params.yaml: no section '{name}'."
        for name in missing
        if not any(f"Did you mean '{name}'?" in problem for problem in problems)
    ]
    for name, section in sections.items():
        record = declared.get(name)
        if record is not None:
            problems += record.problems(section, f"params.yaml [{name}]")
        elif name == MODELS:
            problems += _find_model_problems(section, sections.get("train"), sections.get(DATASETS))
        elif name == DATASETS:
            problems += _find_dataset_problems(section)
    return problems


def unnamed_labels(sections: Mapping[str, Any], videos: Path = Path("data/videos.csv")) -> list[str]:
    """A sentence for each label of the videos that stage `download` last listed which no model names."""
    from vigil.clips.labels import find_unnamed_labels

    if not videos.exists():
        return []
    counts = Counter(video.label for video in video_table.read(videos))
    return find_unnamed_labels(counts, {name: model["classes"] for name, model in sections[MODELS].items()})


def declared_sections() -> dict[str, type[Frozen] | None]:
    """Returns the record that each section is read into, by name; None for a section that maps names to settings."""
    sections: dict[str, type[Frozen] | None] = {}
    for stage in _module_names(stages.__path__):
        module = read_module(f"{stages.__name__}.{stage}")
        for parameter, kind in module.annotations_of("main").items():
            if kind not in OPTIONS:
                is_record = isinstance(kind, type) and issubclass(kind, Frozen)
                sections[stage if parameter == "params" else parameter] = kind if is_record else None
    return dict(sorted(sections.items()))


def _find_model_problems(section: object, shared: object, datasets: object) -> list[str]:
    if not isinstance(section, Mapping) or not section:
        return [f"params.yaml [{MODELS}]: expected models by name, each with its settings; found {section!r}."]
    entry_record = read_module("vigil.training.job")["ModelEntry"]
    train_record = read_module("vigil.training.schedules")["TrainParams"]
    known = [
        name for name in _module_names(models.__path__) if read_module(f"{models.__name__}.{name}").declares("Config")
    ]
    problems: list[str] = []
    for name, settings in section.items():
        where = f"params.yaml [{MODELS}.{name}]"
        if name not in known:
            problems.append(f"{where}: no model '{name}' in src/vigil/models.{near_miss(str(name), known)}")
            continue
        if not isinstance(settings, Mapping):
            problems.append(f"{where}: expected settings, found {settings!r}.")
            continue
        config = read_module(f"{models.__name__}.{name}")["Config"]
        own = {key: value for key, value in settings.items() if key in entry_record.model_fields}
        problems += entry_record.problems(own, where)
        sets = datasets if isinstance(datasets, Mapping) else {}
        problems += [
            f"{where}: datasets: there is no set '{unknown}'. Known: {', '.join(sets)}.{near_miss(str(unknown), sets)}"
            for unknown in settings.get("datasets") or ()
            if unknown not in sets
        ]
        keys = {key: value for key, value in settings.items() if key not in entry_record.model_fields}
        problems += config.problems(keys, where)
        if isinstance(settings.get("train"), Mapping) and not train_record.problems(shared, ""):
            overrides = {key: value for key, value in settings["train"].items() if value is not None}
            merged = train_record.read(shared, "").model_dump() | overrides
            problems += train_record.problems(merged, f"{where[:-1]}.train]")
    return problems


def _find_dataset_problems(section: object) -> list[str]:
    from vigil.footage.sources import read_datasets

    sets = [{name: section[name]} for name in section] if isinstance(section, Mapping) and section else [section]
    problems: list[str] = []
    for part in sets:
        try:
            read_datasets(part)
        except VigilError as error:
            problems.append(str(error))
    return problems


def _module_names(folders: Sequence[str]) -> list[str]:
    return sorted(path.stem for folder in folders for path in Path(folder).glob("[a-z]*.py"))
