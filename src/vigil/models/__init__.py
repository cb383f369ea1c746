"""Models: one module per network with `Config` and `Model`, found by its name, which is its key in params.yaml.

Imports torch, core and its own blocks. Start with pose_cnn.py, the shortest, and checkpoint.py.
"""
