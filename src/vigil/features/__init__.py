"""Features: pure functions of frames with a small explicit state: frames, people, landmarks, flow, segments.

Imports core and footage; clips, judging, evaluation, report, stages and live detection import it. Start with frames.py.
"""
