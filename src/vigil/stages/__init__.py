"""Stages: one thin module per stage of dvc.yaml: its contract, its Params, and main(paths, params).

Imports all rooms of training and judging; cli imports it. No stage imports another. Start with frames.py.
"""
