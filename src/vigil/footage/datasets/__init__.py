"""Datasets: one module per kind of source; a module with `Params`, `sources` and `videos` is a kind, by its name.

Imports footage.listing and footage.video. Start with folder.py, the shortest.
"""
