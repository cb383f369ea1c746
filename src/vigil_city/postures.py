"""Key poses of people who fall, lie, cower, aim, pour, pry and spray. Right-handed; `mirror` gives the other."""

from vigil_city.body import LEG, pose
from vigil_city.poses import FRONT, GUARD

BACKWARDS = pose(
    root=(0, -0.06, -0.10),
    spine=(-18, 8, 6),
    head=(12, -14),
    l_wrist=(0.16, -0.06, 0.16),
    r_wrist=(0.15, -0.10, 0.14),
    l_ankle=(0.03, LEG + 0.08, 0.20),
    r_ankle=(0.05, LEG + 0.06, -0.02),
)
BUCKLE = pose(
    root=(0, -0.22, -0.06),
    spine=(22, 6, 8),
    head=(8, 22),
    l_wrist=(0.12, -0.16, 0.20),
    r_wrist=(0.12, -0.20, 0.16),
    l_ankle=(0.03, LEG + 0.22, 0.16),
    r_ankle=(0.04, LEG + 0.268, -0.04),
    r_foot=(26, 10),
)
FLOOR_BACK = pose(
    root=(0, -0.44, -0.30),
    turn=(0, -32, 0),
    spine=(10, 0, 0),
    head=(0, 0),
    l_wrist=(0.12, -0.20, -0.10),
    r_wrist=(0.12, -0.20, -0.10),
    l_ankle=(0.04, -0.26, 0.26),
    r_ankle=(0.05, -0.30, 0.20),
)
LIE_BACK = pose(
    root=(0, -0.45, -0.44),
    turn=(0, -86, 0),
    spine=(-2, 8, 0),
    head=(18, -6),
    l_wrist=(0.18, -0.10, -0.02),
    r_wrist=(0.15, -0.22, 0.0),
    l_ankle=(0.05, LEG + 0.10, 0.10),
    r_ankle=(0.07, LEG + 0.005, 0),
    l_foot=(25, 20),
    r_foot=(35, 30),
    l_elbow=(1, -0.2, -0.2),
    r_elbow=(1, -0.2, -0.2),
)
FLOOR_FRONT = pose(
    root=(0, -0.26, 0.06),
    turn=(0, 36, 0),
    spine=(18, 0, 0),
    head=(0, 10),
    l_wrist=(0.04, -0.18, 0.24),
    r_wrist=(0.04, -0.18, 0.24),
    l_ankle=(0.03, -0.33, -0.06),
    r_ankle=(0.03, -0.35, -0.09),
    l_foot=(50, 5),
    r_foot=(55, 5),
)
LIE_FRONT = pose(
    root=(0, -0.45, 0.40),
    turn=(0, 87, 0),
    spine=(0, 6, 0),
    head=(50, 0),
    l_wrist=(0.16, 0.10, 0.05),
    r_wrist=(0.13, -0.20, 0.05),
    l_ankle=(0.04, LEG + 0.05, 0.0),
    r_ankle=(0.06, LEG + 0.005, 0),
    l_foot=(55, 15),
    r_foot=(60, 20),
    l_elbow=(1, 0, 0.2),
    r_elbow=(1, -0.2, 0.2),
)
ALL_FOURS = pose(
    root=(0, -0.25, 0),
    turn=(0, 68, 0),
    spine=(6, 0, 0),
    head=(0, -10),
    l_wrist=(0.02, -0.08, 0.285),
    r_wrist=(0.02, -0.08, 0.285),
    l_ankle=(0.02, -0.30, 0.13),
    r_ankle=(0.02, -0.30, 0.13),
    l_foot=(70, 0),
    r_foot=(70, 0),
    l_elbow=(1, -0.6, -0.5),
    r_elbow=(1, -0.6, -0.5),
)
CURLED = pose(
    root=(-0.10, -0.44, -0.05),
    turn=(0, 0, 84),
    spine=(52, 0, 0),
    head=(0, 34),
    l_wrist=(-0.05, 0.10, 0.14),
    r_wrist=(-0.07, 0.10, 0.10),
    l_elbow=(0.5, -0.6, 0.6),
    r_elbow=(0.3, -0.6, 0.6),
    l_ankle=(0.0, -0.20, 0.14),
    r_ankle=(0.0, -0.24, 0.18),
    l_foot=(25, 0),
    r_foot=(25, 0),
)
SIT_FLOOR = pose(
    root=(0, -0.45, -0.20),
    spine=(16, 0, 0),
    head=(0, 12),
    l_wrist=(-0.02, -0.13, 0.25),
    r_wrist=(-0.02, -0.13, 0.25),
    l_ankle=(0.03, -0.03, 0.33),
    r_ankle=(0.03, -0.03, 0.31),
    l_elbow=FRONT,
    r_elbow=FRONT,
)
COWER = pose(
    SIT_FLOOR,
    spine=(42, 0, 4),
    head=(0, 40),
    l_wrist=(-0.06, 0.09, 0.12),
    r_wrist=(-0.06, 0.09, 0.12),
    l_elbow=(0.6, -0.4, 1),
    r_elbow=(0.6, -0.4, 1),
)
ON_KNEES = pose(
    root=(0, -0.242, 0),
    spine=(6, 0, 0),
    head=(0, 10),
    l_ankle=(0.02, -0.235, -0.23),
    r_ankle=(0.02, -0.235, -0.23),
    l_foot=(165, 0),
    r_foot=(165, 0),
)
DUCK = pose(
    root=(0, -0.20, -0.03),
    spine=(48, 0, 0),
    head=(0, 20),
    l_wrist=(-0.05, 0.12, 0.10),
    r_wrist=(-0.05, 0.12, 0.10),
    l_elbow=(0.8, 0, 1),
    r_elbow=(0.8, 0, 1),
    l_ankle=(0.03, LEG + 0.20, 0.10),
    r_ankle=(0.04, LEG + 0.231, -0.03),
    r_foot=(16, 10),
)
DOWNWARD_BLOW = pose(
    GUARD,
    root=(0, -0.05, 0.03),
    spine=(40, 18, 0),
    head=(0, 4),
    r_wrist=(-0.04, -0.14, 0.26),
    l_wrist=(0.02, -0.10, 0.14),
    r_elbow=(0.6, 0.2, -1),
    l_ankle=(0.03, LEG + 0.055, 0.07),
    r_ankle=(0.05, LEG + 0.06, -0.13),
)
WIND_UP = pose(
    GUARD,
    spine=(4, -26, 0),
    head=(14, 18),
    r_wrist=(0.08, 0.20, -0.02),
    r_elbow=(1, 0.3, -0.7),
    l_wrist=(-0.02, -0.06, 0.20),
)
KICK_BACK = pose(
    GUARD,
    root=(0, -0.03, 0.0),
    spine=(14, 0, 0),
    head=(0, 24),
    r_ankle=(0.03, LEG + 0.12, -0.22),
    r_foot=(45, 5),
    l_ankle=(0.02, LEG + 0.03, 0.03),
    l_wrist=(0.06, -0.14, 0.16),
    r_wrist=(0.10, -0.16, 0.06),
)
KICK_LOW = pose(
    GUARD,
    root=(0, -0.03, 0.0),
    spine=(2, 10, 0),
    head=(0, 30),
    r_ankle=(-0.01, LEG + 0.09, 0.27),
    r_foot=(12, 0),
    l_ankle=(0.02, LEG + 0.03, 0.0),
    l_wrist=(0.12, -0.12, 0.10),
    r_wrist=(0.10, -0.18, -0.04),
)
SHOT = pose(
    root=(0, -0.05, -0.06),
    spine=(-14, 20, 10),
    head=(10, -18),
    l_wrist=(-0.10, -0.06, 0.11),
    r_wrist=(0.14, -0.10, 0.10),
    l_ankle=(0.03, LEG + 0.06, 0.14),
    r_ankle=(0.05, LEG + 0.05, 0.0),
)
RECOIL = pose(
    spine=(-3, -14, 0),
    head=(8, 0),
    l_wrist=(-0.11, 0.08, 0.26),
    r_wrist=(-0.09, 0.09, 0.27),
    l_elbow=(0.6, -1, 0),
    r_elbow=(0.6, -1, 0),
    l_ankle=(0.03, LEG + 0.012, 0.07),
    r_ankle=(0.04, LEG + 0.012, -0.05),
)
ONE_HAND = pose(
    spine=(2, 22, 0),
    head=(-18, 2),
    r_wrist=(-0.02, 0.02, 0.315),
    r_elbow=(0.4, -1, 0),
    l_ankle=(0.03, LEG + 0.012, -0.03),
    r_ankle=(0.04, LEG + 0.012, 0.07),
)
ONE_RECOIL = pose(ONE_HAND, spine=(-3, 18, 0), r_wrist=(0.0, 0.10, 0.285))
HANDS_HIGH = pose(
    spine=(-2, 0, 0),
    l_wrist=(0.07, 0.26, 0.03),
    r_wrist=(0.07, 0.26, 0.03),
    l_elbow=(1, 0.2, 0.1),
    r_elbow=(1, 0.2, 0.1),
    head=(0, 0),
)
ON_HEAD = pose(
    spine=(2, 0, 0),
    l_wrist=(-0.03, 0.13, -0.02),
    r_wrist=(-0.03, 0.13, -0.02),
    l_elbow=(1, 0.1, 0),
    r_elbow=(1, 0.1, 0),
    head=(0, 14),
)
CUFFED = pose(
    spine=(14, 0, 0),
    head=(0, 24),
    l_wrist=(-0.075, -0.225, -0.10),
    r_wrist=(-0.075, -0.225, -0.10),
    l_elbow=(0.9, -0.2, -1),
    r_elbow=(0.9, -0.2, -1),
)
POUR = pose(
    root=(0, -0.04, 0.0),
    spine=(24, 6, 0),
    head=(0, 22),
    r_wrist=(0.03, -0.10, 0.24),
    l_wrist=(-0.06, -0.16, 0.20),
    r_elbow=(0.9, -0.3, -0.4),
    l_ankle=(0.03, LEG + 0.045, 0.08),
    r_ankle=(0.04, LEG + 0.045, -0.06),
)
CARRY_LOW = pose(spine=(0, 0, -3), r_wrist=(0.06, -0.31, 0.03))
LIGHT = pose(
    root=(0, -0.18, -0.04),
    spine=(46, 10, 0),
    head=(0, 0),
    r_wrist=(-0.02, -0.16, 0.27),
    l_wrist=(0.02, -0.18, 0.14),
    r_elbow=FRONT,
    l_ankle=(0.03, LEG + 0.18, 0.14),
    r_ankle=(0.04, LEG + 0.226, -0.05),
    r_foot=(24, 10),
)
TOSS = pose(
    spine=(6, 22, 0),
    head=(-8, 10),
    r_wrist=(0.0, 0.0, 0.30),
    r_elbow=FRONT,
    l_ankle=(0.03, LEG + 0.01, 0.07),
    r_ankle=(0.04, LEG + 0.01, -0.05),
)
PRY = pose(
    GUARD,
    root=(0, -0.07, 0.02),
    spine=(24, -8, 0),
    head=(0, 10),
    l_wrist=(-0.08, -0.08, 0.25),
    r_wrist=(-0.05, -0.12, 0.22),
    l_elbow=FRONT,
    r_elbow=FRONT,
    l_ankle=(0.03, LEG + 0.075, 0.10),
    r_ankle=(0.05, LEG + 0.08, -0.12),
)
PRY_PULL = pose(
    PRY,
    root=(0, -0.07, -0.07),
    spine=(6, -22, 0),
    l_wrist=(-0.06, -0.09, 0.20),
    r_wrist=(0.02, -0.10, 0.15),
    l_ankle=(0.03, LEG + 0.08, 0.19),
    r_ankle=(0.05, LEG + 0.075, -0.03),
)
SPRAY_HIGH = pose(spine=(0, 10, 0), head=(-4, -8), r_wrist=(0.0, 0.15, 0.25), r_elbow=(0.7, -0.7, 0))
SPRAY_LOW = pose(spine=(10, 10, 0), head=(-4, 12), r_wrist=(0.0, -0.08, 0.28), r_elbow=FRONT)
GRAB = pose(
    GUARD,
    spine=(14, 0, 0),
    head=(0, 8),
    l_wrist=(-0.03, -0.02, 0.28),
    r_wrist=(-0.03, -0.02, 0.28),
    l_elbow=FRONT,
    r_elbow=FRONT,
)
"""Arms that hold another person before oneself."""
