"""Models: one module per network with `Config` and `Model`, found by its name, which is its key in params.yaml.

Imports core; clips, judging, training, evaluation, detect, stages and cli import it.
Start with pose_cnn.py, the shortest, and checkpoint.py.
"""
