"""People: proportions, poses, gait, looks, what they hold. Imports no act.

Start with anatomy.py (a pose and its skeleton), then player.py (somebody who follows orders).
"""
