"""Body shape: MakeHuman's macro blend of race, gender, age, muscle, weight, height and proportions, then details."""


def _thirds(value):
    """0..1 -> weights of the shapes for minimum, average and maximum."""
    return {"min": max(0.0, 1 - 2 * value), "average": 1 - abs(2 * value - 1), "max": max(0.0, 2 * value - 1)}


def shaped_vertices(assets, shape):
    """Vertices of a body, [n, 3] in metres."""
    vertices = assets.vertices.copy()
    old = shape.get("old", 0.0)
    for gender, of_gender in {"male": shape["male"], "female": 1 - shape["male"]}.items():
        for age, of_age in {"young": 1 - old, "old": old}.items():
            if of_gender * of_age <= 0:
                continue
            for race, of_race in shape["race"].items():
                vertices += of_gender * of_age * of_race * assets.target(f"macrodetails/{race}-{gender}-{age}")
            for muscle, of_muscle in _thirds(shape["muscle"]).items():
                for weight, of_weight in _thirds(shape["weight"]).items():
                    k = of_gender * of_age * of_muscle * of_weight
                    if k > 1e-6:
                        _add_build(assets, vertices, shape, f"{gender}-{age}-{muscle}muscle-{weight}weight", k)
    for name, k in shape.get("details", {}).items():
        vertices += k * assets.target(name)
    return vertices * 0.1


def _add_build(assets, vertices, shape, build, k):
    vertices += k * assets.target(f"macrodetails/universal-{build}")
    height = 2 * shape["height"] - 1
    end = "max" if height > 0 else "min"
    vertices += k * abs(height) * assets.target(f"macrodetails/height/{build}-{end}height")
    proportions = 2 * shape["proportions"] - 1
    end = "ideal" if proportions > 0 else "uncommon"
    vertices += k * abs(proportions) * assets.target(f"macrodetails/proportions/{build}-{end}proportions")
