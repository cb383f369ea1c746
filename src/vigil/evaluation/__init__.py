"""Evaluation: how good models are at frozen thresholds, beside trivial baselines, and against each other.

Imports judging, training and what lies below; report, detect, stages and cli import it.
Start with model_metrics.py and summary.py.
"""
