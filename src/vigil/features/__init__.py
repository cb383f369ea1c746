"""Features: pure functions of frames with a small explicit state: frames, people, landmarks, flow, segments.

Imports core, footage. Used by stages and by live detection alike. Start with frames.py.
"""
