"""Detect: trained models on files and live cameras, frame by frame: features once, scores and alerts as they come.

Imports evaluation (for the fused detector), judging and what lies below; evidence, watch and cli import it. Start with
detector.py, then frame_features.py.
"""
