"""Engine: how work is run, kept and tracked: the loop over videos, workers, the store, code versions, MLflow.

It decides when and where a result is computed, never what it is. Imports core; footage, capture, judging,
stages and cli import it. Start with per_video.py.
"""
