"""Scenes that several tests draw."""

from vision_zero.domains.scenes.placement import sample_scene
from vision_zero.domains.scenes.scene import Scene, SceneObject
from vision_zero.randomness import Seed


def scenes(config, count, name="scenes"):
    return [sample_scene(config, Seed(4).child(name, number).generator()) for number in range(count)]


def lone(shape="sphere", color="red", material="rubber", size="large", rotation=0.0):
    return Scene((SceneObject(shape, color, size, material, 0.0, 0.0, rotation),))
