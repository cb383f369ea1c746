"""Judging: how a trained model looks at a video, and what its scores mean: thresholds, promises.

Imports statistics, clips, models. Start with judges.py and calibration.py.
"""
