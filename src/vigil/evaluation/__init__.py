"""Evaluation: how good models are at frozen thresholds, beside trivial baselines, and against each other.

Imports judging and statistics. Start with model_metrics.py and summary.py.
"""
