"""Key poses. Blows and reaches are for the right hand or foot; `mirror` gives the other."""

from vigil_city.body import LEG, pose

FRONT = (0.5, -1.0, -0.3)  # an elbow that hangs when the hand is in front

GUARD = pose(
    root=(0, -0.025, 0),
    spine=(8, -12, 0),
    head=(8, 8),
    l_wrist=(-0.06, 0.03, 0.19),
    r_wrist=(-0.07, 0.02, 0.14),
    l_elbow=(0.5, -1, -0.2),
    r_elbow=(0.5, -1, -0.2),
    l_ankle=(0.03, LEG + 0.025, 0.09),
    r_ankle=(0.05, LEG + 0.03, -0.09),
)
JAB = pose(
    GUARD,
    root=(0, -0.03, 0.05),
    spine=(14, -32, 0),
    head=(20, 10),
    l_wrist=(-0.09, 0.05, 0.315),
    l_ankle=(0.03, LEG + 0.03, 0.04),
    r_ankle=(0.05, LEG + 0.035, -0.14),
)
CROSS = pose(
    GUARD,
    root=(0, -0.035, 0.06),
    spine=(15, 32, 0),
    head=(-20, 10),
    r_wrist=(-0.09, 0.05, 0.315),
    r_foot=(25, 12),
    l_ankle=(0.03, LEG + 0.035, 0.03),
    r_ankle=(0.05, LEG + 0.05, -0.15),
)
CHAMBER = pose(GUARD, spine=(-4, -5, 0), r_ankle=(0.0, LEG + 0.22, 0.15), r_foot=(20, 0))
KICK = pose(
    GUARD,
    root=(0, -0.02, 0.03),
    spine=(-20, 5, 0),
    r_ankle=(-0.03, LEG + 0.33, 0.40),
    r_foot=(-10, 0),
    l_ankle=(0.03, LEG + 0.02, 0.06),
)
LOW_KICK = pose(KICK, spine=(-12, 5, 0), r_ankle=(-0.02, LEG + 0.16, 0.40))
STAMP = pose(GUARD, spine=(16, 0, 0), head=(0, 25), r_ankle=(0.0, LEG + 0.06, 0.22), r_foot=(5, 0))
SHOVE = pose(
    GUARD,
    root=(0, -0.04, 0.09),
    spine=(22, 0, 0),
    l_wrist=(-0.04, 0.0, 0.31),
    r_wrist=(-0.04, 0.0, 0.31),
    l_ankle=(0.03, LEG + 0.04, 0.0),
    r_ankle=(0.05, LEG + 0.06, -0.18),
)
HIT = pose(
    GUARD,
    root=(0, -0.02, -0.05),
    spine=(-16, 14, 6),
    head=(30, -22),
    l_wrist=(0.02, -0.02, 0.20),
    r_wrist=(0.08, -0.06, 0.16),
    l_ankle=(0.03, LEG + 0.03, 0.14),
    r_ankle=(0.05, LEG + 0.02, -0.04),
)
COVER = pose(
    GUARD,
    root=(0, -0.06, -0.03),
    spine=(30, 0, 0),
    head=(0, 25),
    l_wrist=(-0.08, 0.09, 0.11),
    r_wrist=(-0.08, 0.09, 0.11),
    l_ankle=(0.03, LEG + 0.06, 0.12),
    r_ankle=(0.05, LEG + 0.06, -0.06),
)
LOOK_L = pose(head=(55, 5), spine=(3, 12, 0))
LOOK_R = pose(head=(-55, 5), spine=(3, -12, 0))
REACH = pose(spine=(12, 14, 0), head=(-5, 12), r_wrist=(-0.02, 0.02, 0.315), r_elbow=FRONT)
REACH_HIGH = pose(spine=(4, 10, 0), head=(-5, -8), r_wrist=(-0.02, 0.15, 0.27), r_elbow=(0.6, -0.6, -0.2))
REACH_LOW = pose(
    root=(0, -0.05, -0.02),
    spine=(34, 12, 0),
    head=(0, 12),
    r_wrist=(0.0, -0.10, 0.29),
    r_elbow=FRONT,
    l_ankle=(0.02, LEG + 0.05, 0.04),
    r_ankle=(0.02, LEG + 0.05, 0.0),
)
HOLD = pose(spine=(5, 0, 0), head=(0, 28), r_wrist=(-0.08, -0.12, 0.17), r_elbow=(0.6, -0.8, -0.5))
POCKET = pose(spine=(6, -4, 3), head=(0, 30), r_wrist=(0.015, -0.235, 0.055), r_elbow=(0.9, -0.1, -1))
JACKET = pose(
    spine=(8, 0, 0), head=(0, 30), r_wrist=(-0.12, -0.14, 0.085), r_elbow=(1, -0.4, 0.1), l_wrist=(-0.02, -0.16, 0.10)
)
RAISE = pose(
    root=(0, -0.01, -0.02),
    spine=(-14, -12, 0),
    r_wrist=(0.02, 0.27, -0.01),
    r_elbow=(0.8, 0.3, -0.6),
    l_wrist=(-0.10, 0.22, 0.08),
    l_elbow=(0.8, 0, 0.2),
    l_ankle=(0.03, LEG + 0.02, 0.11),
    r_ankle=(0.05, LEG + 0.02, -0.07),
)
SMASH = pose(
    RAISE,
    root=(0, -0.05, 0.05),
    spine=(32, 14, 0),
    r_wrist=(-0.05, -0.05, 0.30),
    l_wrist=(-0.10, -0.06, 0.27),
    l_ankle=(0.03, LEG + 0.06, 0.04),
    r_ankle=(0.05, LEG + 0.06, -0.14),
)
PHONE = pose(r_wrist=(0.0, 0.03, 0.06), r_elbow=(0.7, -1, 0.1), head=(8, 8))
TEXT = pose(r_wrist=(-0.09, -0.11, 0.17), r_elbow=FRONT, head=(0, 32))
CROSSED = pose(
    l_wrist=(-0.16, -0.12, 0.115), r_wrist=(-0.15, -0.15, 0.115), l_elbow=(1, -0.6, 0.3), r_elbow=(1, -0.6, 0.3)
)
POCKETS = pose(
    l_wrist=(0.045, -0.235, 0.05), r_wrist=(0.045, -0.235, 0.05), l_elbow=(1, -0.2, -0.8), r_elbow=(1, -0.2, -0.8)
)
HIPS = pose(l_wrist=(0.03, -0.20, 0.03), r_wrist=(0.03, -0.20, 0.03), l_elbow=(1, -0.1, -0.3), r_elbow=(1, -0.1, -0.3))
GESTURE_A = pose(
    l_wrist=(0.05, -0.10, 0.19), r_wrist=(0.06, -0.04, 0.20), l_elbow=(0.6, -1, -0.4), r_elbow=(0.6, -1, -0.4)
)
GESTURE_B = pose(GESTURE_A, l_wrist=(0.10, -0.02, 0.18), r_wrist=(0.02, -0.14, 0.18), head=(10, -2))
POINT = pose(spine=(4, 10, 0), r_wrist=(0.0, 0.03, 0.318), r_elbow=(0.3, -1, 0), head=(0, 2))
WAVE = pose(r_wrist=(0.10, 0.26, 0.06), r_elbow=(1, -0.3, 0), head=(-5, -4))
HANDSHAKE = pose(spine=(9, 10, 0), head=(-4, 8), r_wrist=(-0.06, -0.10, 0.285), r_elbow=(0.3, -1, -0.5))
HUG = pose(
    spine=(10, 0, 4),
    head=(20, 10),
    l_wrist=(-0.06, -0.02, 0.27),
    r_wrist=(-0.05, 0.03, 0.27),
    l_elbow=(1, -0.5, 0.1),
    r_elbow=(1, -0.3, 0.1),
)
GIVE = pose(spine=(8, 6, 0), head=(0, 16), r_wrist=(-0.05, -0.09, 0.29), r_elbow=FRONT)
CARRY = pose(spine=(-2, 0, 0), l_wrist=(-0.02, -0.12, 0.20), r_wrist=(-0.02, -0.12, 0.20), l_elbow=FRONT, r_elbow=FRONT)
STOOP = pose(
    root=(0, -0.17, -0.05),
    spine=(72, 8, 0),
    head=(0, 10),
    r_wrist=(0.0, -0.27, 0.13),
    l_wrist=(0.05, -0.22, 0.10),
    l_ankle=(0.02, LEG + 0.17, 0.06),
    r_ankle=(0.02, LEG + 0.17, 0.04),
)
CROUCH = pose(
    root=(0, -0.27, -0.06),
    spine=(34, 0, 0),
    head=(0, 6),
    r_wrist=(0.0, -0.20, 0.20),
    l_wrist=(0.0, -0.20, 0.20),
    l_ankle=(0.02, LEG + 0.27, 0.10),
    r_ankle=(0.03, LEG + 0.30, -0.03),
    r_foot=(28, 10),
    r_elbow=FRONT,
    l_elbow=FRONT,
)
KNEEL = pose(
    root=(0, -0.245, 0),
    spine=(4, 0, 0),
    head=(0, 10),
    l_ankle=(0.02, LEG + 0.245, 0.20),
    r_ankle=(0.02, LEG + 0.262, -0.26),
    r_foot=(70, 5),
)
SIT = pose(
    root=(0, -0.24, 0),
    spine=(6, 0, 0),
    head=(0, 10),
    l_wrist=(0.0, -0.235, 0.16),
    r_wrist=(0.0, -0.235, 0.16),
    l_elbow=(0.6, -0.6, -0.6),
    r_elbow=(0.6, -0.6, -0.6),
    l_ankle=(0.015, LEG + 0.24, 0.235),
    r_ankle=(0.015, LEG + 0.24, 0.235),
)
HANDS_UP = pose(
    spine=(-2, 0, 0),
    l_wrist=(0.10, 0.19, 0.05),
    r_wrist=(0.10, 0.19, 0.05),
    l_elbow=(1, -0.6, 0),
    r_elbow=(1, -0.6, 0),
    head=(0, 0),
)
BEHIND = pose(
    spine=(6, 0, 0),
    l_wrist=(-0.075, -0.235, -0.085),
    r_wrist=(-0.075, -0.235, -0.085),
    l_elbow=(0.7, -0.3, -1),
    r_elbow=(0.7, -0.3, -1),
)
AIM = pose(
    spine=(2, -10, 0),
    head=(8, 2),
    l_wrist=(-0.11, 0.02, 0.285),
    r_wrist=(-0.09, 0.02, 0.30),
    l_elbow=(0.6, -1, 0),
    r_elbow=(0.6, -1, 0),
    l_ankle=(0.03, LEG + 0.012, 0.07),
    r_ankle=(0.04, LEG + 0.012, -0.05),
)
SWEEP = pose(
    spine=(16, -10, 0),
    head=(0, 20),
    l_wrist=(-0.02, -0.08, 0.20),
    r_wrist=(-0.06, -0.20, 0.22),
    l_elbow=FRONT,
    r_elbow=FRONT,
)
SWEEP_END = pose(SWEEP, spine=(18, 14, 0), l_wrist=(-0.06, -0.10, 0.17), r_wrist=(-0.10, -0.22, 0.18))
