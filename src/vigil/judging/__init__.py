"""Judging: how a trained model looks at a video, and what its scores mean: thresholds, promises.

Imports clips, engine and what lies below; evaluation, detect, evidence, stages and cli import it.
Start with judges.py and calibration.py.
"""
