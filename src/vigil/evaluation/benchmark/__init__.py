"""What models reach on a public dataset, by a protocol that chooses nothing on what it is judged by.

Start reading in `landmarks.py`, the kind of `vigil benchmark landmarks`. What any kind needs is in `folds.py` (who is
judged, validated on and learnt from), `kept.py` (results that survive an interruption) and `outcome.py` (verdicts to
numbers with intervals).
"""
