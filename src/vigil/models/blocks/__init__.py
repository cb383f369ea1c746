"""Blocks: what networks are built of: ConvLSTM, Inception-3D, attention over frames. Start with layers.py."""
