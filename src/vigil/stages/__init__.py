"""Stages: one thin module per stage of dvc.yaml: its contract, its Params, and main(paths, params).

Imports every room; imported by none. No stage imports another.
"""
