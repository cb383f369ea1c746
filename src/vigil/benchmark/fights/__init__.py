"""`vigil benchmark fights`: the pipeline's own stages on folds of a folder of clips, and on another that it never saw.

protocol.py is where to start; features.py brings the clips in, members.py learns from some and judges others,
joining.py makes one detector of several, verdicts.py turns what is said of clips into numbers.
"""
