"""Who can be rendered: body, look, and the seed of room, camera and style of movement."""

IDENTITIES = {
    "anna": {
        "seed": 11,
        "shape": {
            "male": 0.05, "old": 0.05, "muscle": 0.42, "weight": 0.36, "height": 0.53, "proportions": 0.7,
            "race": {"asian": 0.75, "caucasian": 0.25},
            "details": {"head/head-oval": 0.5, "nose/nose-scale-horiz-decr": 0.3},
        },
        "look": {
            "skin": (224, 176, 146), "hair": (34, 24, 22), "lips": (0.95, 0.55, 0.55), "eye": (60, 38, 26),
            "shirt": (196, 64, 70), "shirt2": (232, 222, 208), "pattern": "stripes", "trousers": (52, 62, 92),
            "sleeve": 0.30, "collar": 0.095, "fit": 0.006,
            "hair_thickness": 0.010, "long_hair": 0.004, "hair_low": -0.06, "nape": -0.75, "front": 0.42,
        },
    },
    "ben": {
        "seed": 22,
        "shape": {
            "male": 0.97, "old": 0.25, "muscle": 0.5, "weight": 0.68, "height": 0.55, "proportions": 0.4,
            "race": {"caucasian": 1.0},
            "details": {"head/head-square": 0.5, "nose/nose-hump-incr": 0.4, "chin/chin-width-incr": 0.4},
        },
        "look": {
            "skin": (228, 182, 158), "hair": (92, 62, 40), "lips": (0.9, 0.65, 0.62), "eye": (70, 100, 120),
            "shirt": (58, 92, 140), "trousers": (60, 56, 52),
            "sleeve": 0.36, "collar": 0.088, "fit": 0.014,
            "hair_thickness": 0.020, "nape": -0.55, "front": 0.50, "beard": 0.75,
        },
    },
    "chidi": {
        "seed": 33,
        "shape": {
            "male": 1.0, "old": 0.1, "muscle": 0.72, "weight": 0.47, "height": 0.52, "proportions": 0.7,
            "race": {"african": 1.0},
            "details": {"head/head-rectangular": 0.4},
        },
        "look": {
            "skin": (122, 82, 60), "hair": (24, 20, 19), "lips": (0.95, 0.62, 0.62), "eye": (42, 26, 18),
            "shirt": (214, 206, 190), "shirt2": (40, 110, 90), "pattern": "print", "trousers": (34, 36, 42),
            "sleeve": 0.33, "collar": 0.09, "fit": 0.010,
            "hair_thickness": 0.008, "nape": -0.5, "front": 0.52, "beard": 0.25,
        },
    },
    # Others, for measuring the challenges on bodies that no rule was chosen on.
    "dora": {
        "seed": 44,
        "shape": {
            "male": 0.1, "old": 0.75, "muscle": 0.35, "weight": 0.8, "height": 0.42, "proportions": 0.3,
            "race": {"caucasian": 0.6, "african": 0.4},
        },
        "look": {
            "skin": (200, 152, 122), "hair": (120, 116, 112), "lips": (0.9, 0.6, 0.6), "eye": (60, 70, 60),
            "shirt": (120, 70, 130), "trousers": (60, 60, 70),
            "sleeve": 0.34, "collar": 0.09, "fit": 0.016,
            "hair_thickness": 0.014, "long_hair": 0.003, "hair_low": -0.05, "nape": -0.7, "front": 0.45,
        },
    },
    "emil": {
        "seed": 55,
        "shape": {
            "male": 0.9, "old": 0.0, "muscle": 0.3, "weight": 0.25, "height": 0.7, "proportions": 0.75,
            "race": {"asian": 0.4, "caucasian": 0.6},
        },
        "look": {
            "skin": (232, 192, 164), "hair": (140, 96, 50), "lips": (0.92, 0.62, 0.6), "eye": (80, 110, 80),
            "shirt": (70, 120, 80), "shirt2": (230, 230, 220), "pattern": "stripes", "trousers": (40, 44, 60),
            "sleeve": 0.30, "collar": 0.088, "fit": 0.008,
            "hair_thickness": 0.016, "nape": -0.55, "front": 0.5,
        },
    },
}
