"""Clips: from features to samples: windows, their classes, datasets for training.

Imports core, features, footage and models (what a clip is); judging, detect, evaluation, stages and cli import it.
Start with windows.py and sampling.py.
"""
