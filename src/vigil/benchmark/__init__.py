"""`vigil benchmark`: what models reach on data of others, by a protocol that chooses nothing on what it is judged by.

`fights` runs the stages of the pipeline on folders of clips; `landmarks` fits the pose models to a table of body
landmarks, with no video. Each has its folds, because the clips of a table that lie beside each other may show one
event. Start reading in the protocol.py of either. What both need is here: sources.py (how many there must be),
result_cache.py (results that survive an interruption), sealing.py (frozen before the test is opened, and scored once)
and outcome.py (verdicts to numbers with intervals). Only the command line uses this room.
"""
