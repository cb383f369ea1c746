"""Clips: from features to samples: windows, their classes, datasets for training.

Imports features, models (what a clip is) and footage. Start with windows.py and sampling.py.
"""
