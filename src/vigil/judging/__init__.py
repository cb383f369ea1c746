"""Judging: how a trained model looks at a video, and what its scores mean: thresholds, promises, alerts.

Imports statistics, clips, models. Start with judges.py and calibration.py.
"""
