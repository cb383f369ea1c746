"""Key poses, one table. Blows and reaches are for the right hand or foot; `mirror` gives the other."""

from vigil_city.bodies.anatomy import LEG, feet, pose

# fmt: off
FRONT = (0.5, -1.0, -0.3)
GUARD = pose(root=(0, -0.025, 0), spine=(8, -12, 0), head=(8, 8), l_wrist=(-0.06, 0.03, 0.19),
    r_wrist=(-0.07, 0.02, 0.14), elbows=(0.5, -1, -0.2), **feet(0.025, 0.09, 0.03, -0.09))
JAB = pose(GUARD, root=(0, -0.03, 0.05), spine=(14, -32, 0), head=(20, 10), l_wrist=(-0.09, 0.05, 0.315),
    **feet(0.03, 0.04, 0.035, -0.14))
CROSS = pose(GUARD, root=(0, -0.035, 0.06), spine=(15, 32, 0), head=(-20, 10), r_wrist=(-0.09, 0.05, 0.315),
    r_foot=(25, 12), **feet(0.035, 0.03, 0.05, -0.15))
CHAMBER = pose(GUARD, spine=(-4, -5, 0), r_ankle=(0.0, LEG + 0.22, 0.15), r_foot=(20, 0))
KICK = pose(GUARD, root=(0, -0.02, 0.03), spine=(-20, 5, 0), r_ankle=(-0.03, LEG + 0.33, 0.40), r_foot=(-10, 0),
    l_ankle=(0.03, LEG + 0.02, 0.06))
LOW_KICK = pose(KICK, spine=(-12, 5, 0), r_ankle=(-0.02, LEG + 0.16, 0.40))
SHOVE = pose(GUARD, root=(0, -0.04, 0.09), spine=(22, 0, 0), wrists=(-0.04, 0.0, 0.31), **feet(0.04, 0.0, 0.06, -0.18))
HIT = pose(GUARD, root=(0, -0.02, -0.05), spine=(-16, 14, 6), head=(30, -22), l_wrist=(0.02, -0.02, 0.20),
    r_wrist=(0.08, -0.06, 0.16), **feet(0.03, 0.14, 0.02, -0.04))
COVER = pose(GUARD, root=(0, -0.06, -0.03), spine=(30, 0, 0), head=(0, 25), wrists=(-0.08, 0.09, 0.11),
    **feet(0.06, 0.12, 0.06, -0.06))
LOOK_L = pose(head=(55, 5), spine=(3, 12, 0))
LOOK_R = pose(head=(-55, 5), spine=(3, -12, 0))
REACH = pose(spine=(12, 14, 0), head=(-5, 12), r_wrist=(-0.02, 0.02, 0.315), r_elbow=FRONT)
REACH_LOW = pose(root=(0, -0.05, -0.02), spine=(34, 12, 0), head=(0, 12), r_wrist=(0.0, -0.10, 0.29), r_elbow=FRONT,
    **feet(0.05, 0.04, 0.05, 0.0, 0.02, 0.02))
HOLD = pose(spine=(5, 0, 0), head=(0, 28), r_wrist=(-0.08, -0.12, 0.17), r_elbow=(0.6, -0.8, -0.5))
POCKET = pose(spine=(6, -4, 3), head=(0, 30), r_wrist=(0.015, -0.235, 0.055), r_elbow=(0.9, -0.1, -1))
JACKET = pose(spine=(8, 0, 0), head=(0, 30), r_wrist=(-0.12, -0.14, 0.085), r_elbow=(1, -0.4, 0.1),
    l_wrist=(-0.02, -0.16, 0.10))
RAISE = pose(root=(0, -0.01, -0.02), spine=(-14, -12, 0), r_wrist=(0.02, 0.27, -0.01), r_elbow=(0.8, 0.3, -0.6),
    l_wrist=(-0.10, 0.22, 0.08), l_elbow=(0.8, 0, 0.2), **feet(0.02, 0.11, 0.02, -0.07))
SMASH = pose(RAISE, root=(0, -0.05, 0.05), spine=(32, 14, 0), r_wrist=(-0.05, -0.05, 0.30),
    l_wrist=(-0.10, -0.06, 0.27), **feet(0.06, 0.04, 0.06, -0.14))
PHONE = pose(r_wrist=(0.0, 0.03, 0.06), r_elbow=(0.7, -1, 0.1), head=(8, 8))
TEXT = pose(r_wrist=(-0.09, -0.11, 0.17), r_elbow=FRONT, head=(0, 32))
CROSSED = pose(l_wrist=(-0.16, -0.12, 0.115), r_wrist=(-0.15, -0.15, 0.115), elbows=(1, -0.6, 0.3))
HIPS = pose(wrists=(0.03, -0.20, 0.03), elbows=(1, -0.1, -0.3))
GESTURE_A = pose(l_wrist=(0.05, -0.10, 0.19), r_wrist=(0.06, -0.04, 0.20), elbows=(0.6, -1, -0.4))
GESTURE_B = pose(GESTURE_A, l_wrist=(0.10, -0.02, 0.18), r_wrist=(0.02, -0.14, 0.18), head=(10, -2))
POINT = pose(spine=(4, 10, 0), r_wrist=(0.0, 0.03, 0.318), r_elbow=(0.3, -1, 0), head=(0, 2))
WAVE = pose(r_wrist=(0.10, 0.26, 0.06), r_elbow=(1, -0.3, 0), head=(-5, -4))
HANDSHAKE = pose(spine=(9, 10, 0), head=(-4, 8), r_wrist=(-0.06, -0.10, 0.285), r_elbow=(0.3, -1, -0.5))
HUG = pose(spine=(10, 0, 4), head=(20, 10), l_wrist=(-0.06, -0.02, 0.27), r_wrist=(-0.05, 0.03, 0.27),
    l_elbow=(1, -0.5, 0.1), r_elbow=(1, -0.3, 0.1))
GIVE = pose(spine=(8, 6, 0), head=(0, 16), r_wrist=(-0.05, -0.09, 0.29), r_elbow=FRONT)
CARRY = pose(spine=(-2, 0, 0), wrists=(-0.02, -0.12, 0.20), elbows=FRONT)
STOOP = pose(root=(0, -0.17, -0.05), spine=(72, 8, 0), head=(0, 10), r_wrist=(0.0, -0.27, 0.13),
    l_wrist=(0.05, -0.22, 0.10), **feet(0.17, 0.06, 0.17, 0.04, 0.02, 0.02))
CROUCH = pose(root=(0, -0.27, -0.06), spine=(34, 0, 0), head=(0, 6), wrists=(0.0, -0.20, 0.20),
    **feet(0.27, 0.10, 0.30, -0.03, 0.02, 0.03), r_foot=(28, 10), elbows=FRONT)
KNEEL = pose(root=(0, -0.245, 0), spine=(4, 0, 0), head=(0, 10), **feet(0.245, 0.20, 0.262, -0.26, 0.02, 0.02),
    r_foot=(70, 5))
SIT = pose(root=(0, -0.24, 0), spine=(6, 0, 0), head=(0, 10), wrists=(0.0, -0.235, 0.16), elbows=(0.6, -0.6, -0.6),
    ankles=(0.015, LEG + 0.24, 0.235))
HANDS_UP = pose(spine=(-2, 0, 0), wrists=(0.10, 0.19, 0.05), elbows=(1, -0.6, 0), head=(0, 0))
AIM = pose(spine=(2, -10, 0), head=(8, 2), l_wrist=(-0.11, 0.02, 0.285), r_wrist=(-0.09, 0.02, 0.30),
    elbows=(0.6, -1, 0), **feet(0.012, 0.07, 0.012, -0.05, 0.03, 0.04))
SWEEP = pose(spine=(16, -10, 0), head=(0, 20), l_wrist=(-0.02, -0.08, 0.20), r_wrist=(-0.06, -0.20, 0.22), elbows=FRONT)
SWEEP_END = pose(SWEEP, spine=(18, 14, 0), l_wrist=(-0.06, -0.10, 0.17), r_wrist=(-0.10, -0.22, 0.18))

# Falls, the floor, weapons and tools
BACKWARDS = pose(root=(0, -0.06, -0.10), spine=(-18, 8, 6), head=(12, -14), l_wrist=(0.16, -0.06, 0.16),
    r_wrist=(0.15, -0.10, 0.14), **feet(0.08, 0.20, 0.06, -0.02))
BUCKLE = pose(root=(0, -0.22, -0.06), spine=(22, 6, 8), head=(8, 22), l_wrist=(0.12, -0.16, 0.20),
    r_wrist=(0.12, -0.20, 0.16), **feet(0.22, 0.16, 0.268, -0.04, 0.03, 0.04), r_foot=(26, 10))
FLOOR_BACK = pose(root=(0, -0.44, -0.30), turn=(0, -32, 0), spine=(10, 0, 0), head=(0, 0), wrists=(0.12, -0.20, -0.10),
    l_ankle=(0.04, -0.26, 0.26), r_ankle=(0.05, -0.30, 0.20))
LIE_BACK = pose(root=(0, -0.45, -0.44), turn=(0, -86, 0), spine=(-2, 8, 0), head=(18, -6), l_wrist=(0.18, -0.10, -0.02),
    r_wrist=(0.15, -0.22, 0.0), **feet(0.10, 0.10, 0.005, 0, 0.05, 0.07), l_foot=(25, 20), r_foot=(35, 30),
    elbows=(1, -0.2, -0.2))
FLOOR_FRONT = pose(root=(0, -0.26, 0.06), turn=(0, 36, 0), spine=(18, 0, 0), head=(0, 10), wrists=(0.04, -0.18, 0.24),
    l_ankle=(0.03, -0.33, -0.06), r_ankle=(0.03, -0.35, -0.09), l_foot=(50, 5), r_foot=(55, 5))
LIE_FRONT = pose(root=(0, -0.45, 0.40), turn=(0, 87, 0), spine=(0, 6, 0), head=(50, 0), l_wrist=(0.16, 0.10, 0.05),
    r_wrist=(0.13, -0.20, 0.05), **feet(0.05, 0.0, 0.005, 0, 0.04, 0.06), l_foot=(55, 15), r_foot=(60, 20),
    l_elbow=(1, 0, 0.2), r_elbow=(1, -0.2, 0.2))
ALL_FOURS = pose(root=(0, -0.25, 0), turn=(0, 68, 0), spine=(6, 0, 0), head=(0, -10), wrists=(0.02, -0.08, 0.285),
    ankles=(0.02, -0.30, 0.13), feet=(70, 0), elbows=(1, -0.6, -0.5))
CURLED = pose(root=(-0.10, -0.44, -0.05), turn=(0, 0, 84), spine=(52, 0, 0), head=(0, 34), l_wrist=(-0.05, 0.10, 0.14),
    r_wrist=(-0.07, 0.10, 0.10), l_elbow=(0.5, -0.6, 0.6), r_elbow=(0.3, -0.6, 0.6), l_ankle=(0.0, -0.20, 0.14),
    r_ankle=(0.0, -0.24, 0.18), feet=(25, 0))
SIT_FLOOR = pose(root=(0, -0.45, -0.20), spine=(16, 0, 0), head=(0, 12), wrists=(-0.02, -0.13, 0.25),
    l_ankle=(0.03, -0.03, 0.33), r_ankle=(0.03, -0.03, 0.31), elbows=FRONT)
COWER = pose(SIT_FLOOR, spine=(42, 0, 4), head=(0, 40), wrists=(-0.06, 0.09, 0.12), elbows=(0.6, -0.4, 1))
ON_KNEES = pose(root=(0, -0.242, 0), spine=(6, 0, 0), head=(0, 10), ankles=(0.02, -0.235, -0.23), feet=(165, 0))
DUCK = pose(root=(0, -0.20, -0.03), spine=(48, 0, 0), head=(0, 20), wrists=(-0.05, 0.12, 0.10), elbows=(0.8, 0, 1),
    **feet(0.20, 0.10, 0.231, -0.03, 0.03, 0.04), r_foot=(16, 10))
DOWNWARD_BLOW = pose(GUARD, root=(0, -0.05, 0.03), spine=(40, 18, 0), head=(0, 4), r_wrist=(-0.04, -0.14, 0.26),
    l_wrist=(0.02, -0.10, 0.14), r_elbow=(0.6, 0.2, -1), **feet(0.055, 0.07, 0.06, -0.13))
WIND_UP = pose(GUARD, spine=(4, -26, 0), head=(14, 18), r_wrist=(0.08, 0.20, -0.02), r_elbow=(1, 0.3, -0.7),
    l_wrist=(-0.02, -0.06, 0.20))
KICK_BACK = pose(GUARD, root=(0, -0.03, 0.0), spine=(14, 0, 0), head=(0, 24), r_ankle=(0.03, LEG + 0.12, -0.22),
    r_foot=(45, 5), l_ankle=(0.02, LEG + 0.03, 0.03), l_wrist=(0.06, -0.14, 0.16), r_wrist=(0.10, -0.16, 0.06))
KICK_LOW = pose(GUARD, root=(0, -0.03, 0.0), spine=(2, 10, 0), head=(0, 30), r_ankle=(-0.01, LEG + 0.09, 0.27),
    r_foot=(12, 0), l_ankle=(0.02, LEG + 0.03, 0.0), l_wrist=(0.12, -0.12, 0.10), r_wrist=(0.10, -0.18, -0.04))
SHOT = pose(root=(0, -0.05, -0.06), spine=(-14, 20, 10), head=(10, -18), l_wrist=(-0.10, -0.06, 0.11),
    r_wrist=(0.14, -0.10, 0.10), **feet(0.06, 0.14, 0.05, 0.0))
RECOIL = pose(spine=(-3, -14, 0), head=(8, 0), l_wrist=(-0.11, 0.08, 0.26), r_wrist=(-0.09, 0.09, 0.27),
    elbows=(0.6, -1, 0), **feet(0.012, 0.07, 0.012, -0.05, 0.03, 0.04))
ONE_HAND = pose(spine=(2, 22, 0), head=(-18, 2), r_wrist=(-0.02, 0.02, 0.315), r_elbow=(0.4, -1, 0),
    **feet(0.012, -0.03, 0.012, 0.07, 0.03, 0.04))
ONE_RECOIL = pose(ONE_HAND, spine=(-3, 18, 0), r_wrist=(0.0, 0.10, 0.285))
HANDS_HIGH = pose(spine=(-2, 0, 0), wrists=(0.07, 0.26, 0.03), elbows=(1, 0.2, 0.1), head=(0, 0))
ON_HEAD = pose(spine=(2, 0, 0), wrists=(-0.03, 0.13, -0.02), elbows=(1, 0.1, 0), head=(0, 14))
CUFFED = pose(spine=(14, 0, 0), head=(0, 24), wrists=(-0.075, -0.225, -0.10), elbows=(0.9, -0.2, -1))
POUR = pose(root=(0, -0.04, 0.0), spine=(24, 6, 0), head=(0, 22), r_wrist=(0.03, -0.10, 0.24),
    l_wrist=(-0.06, -0.16, 0.20), r_elbow=(0.9, -0.3, -0.4), **feet(0.045, 0.08, 0.045, -0.06, 0.03, 0.04))
CARRY_LOW = pose(spine=(0, 0, -3), r_wrist=(0.06, -0.31, 0.03))
LIGHT = pose(root=(0, -0.18, -0.04), spine=(46, 10, 0), head=(0, 0), r_wrist=(-0.02, -0.16, 0.27),
    l_wrist=(0.02, -0.18, 0.14), r_elbow=FRONT, **feet(0.18, 0.14, 0.226, -0.05, 0.03, 0.04), r_foot=(24, 10))
TOSS = pose(spine=(6, 22, 0), head=(-8, 10), r_wrist=(0.0, 0.0, 0.30), r_elbow=FRONT,
    **feet(0.01, 0.07, 0.01, -0.05, 0.03, 0.04))
PRY = pose(GUARD, root=(0, -0.07, 0.02), spine=(24, -8, 0), head=(0, 10), l_wrist=(-0.08, -0.08, 0.25),
    r_wrist=(-0.05, -0.12, 0.22), elbows=FRONT, **feet(0.075, 0.10, 0.08, -0.12))
PRY_PULL = pose(PRY, root=(0, -0.07, -0.07), spine=(6, -22, 0), l_wrist=(-0.06, -0.09, 0.20),
    r_wrist=(0.02, -0.10, 0.15), **feet(0.08, 0.19, 0.075, -0.03))
SPRAY_HIGH = pose(spine=(0, 10, 0), head=(-4, -8), r_wrist=(0.0, 0.15, 0.25), r_elbow=(0.7, -0.7, 0))
SPRAY_LOW = pose(spine=(10, 10, 0), head=(-4, 12), r_wrist=(0.0, -0.08, 0.28), r_elbow=FRONT)
GRAB = pose(GUARD, spine=(14, 0, 0), head=(0, 8), wrists=(-0.03, -0.02, 0.28), elbows=FRONT)
# fmt: on
