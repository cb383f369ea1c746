"""Detect: trained models on files and live cameras, frame by frame: features once, scores and alerts as they come.

Imports evaluation (for the fused detector) and what lies below. Start with detector.py, then frame_features.py.
"""
