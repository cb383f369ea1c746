"""`vigil benchmark landmarks`: pose models on folds of a table of body landmarks, and on another that they never saw.

protocol.py is where to start; table.py reads a table, folds.py says who is learnt from and who is judged, members.py
fits models and trees to segments of people, decisions.py makes the class of a clip of what is said of its segments.
"""
