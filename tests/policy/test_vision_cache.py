"""A frozen vision side looks once: what is remembered is what a new look would see, and it learns nothing by being remembered."""

from copy import deepcopy

import pytest
import torch

from tests.make import scene_pairs
from tests.policy.families import FAMILIES, write_family
from vision_zero.config.policy import PolicyConfig
from vision_zero.policy.chats import user_message
from vision_zero.policy.families import FAMILIES as KNOWN
from vision_zero.policy.loading import load_base, load_policy
from vision_zero.policy.vision_cache import VisionCache

pytestmark = pytest.mark.slow

TRIED = tuple(family for family in FAMILIES if KNOWN[family].caches_images)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {family: write_family(family, tmp_path_factory.mktemp(family)) for family in FAMILIES}


def policy_of(folders, family, **settings):
    return load_policy(PolicyConfig(base=str(folders[family]), **settings), None)


def inputs_of(policy, numbers):
    pairs = scene_pairs(4)
    return policy.encode([user_message("What is there?", pairs[number].original) for number in numbers])


class Counting:
    """How many rows of pixels a model has looked at."""

    def __init__(self, policy):
        self.look, self.rows = policy.model.model.get_image_features.look, 0
        policy.model.model.get_image_features.look = self

    def __call__(self, pixels, *args, **options):
        self.rows += len(pixels)
        return self.look(pixels, *args, **options)


@pytest.mark.parametrize("family", TRIED)
def test_each_image_is_looked_at_once(folders, family):
    policy = policy_of(folders, family)
    counting, one = Counting(policy), len(inputs_of(policy, [0])["pixel_values"])
    with torch.no_grad():
        for numbers in ([0, 1, 0], [1, 2], [2, 0, 1]):
            policy.model(**inputs_of(policy, numbers))
    assert counting.rows == 3 * one


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_remembered_is_what_a_new_look_sees(folders, family):
    remembering = policy_of(folders, family)
    looking = policy_of(folders, family, train_on="both")
    assert isinstance(remembering.model.model.get_image_features, VisionCache) == KNOWN[family].caches_images
    assert not isinstance(looking.model.model.get_image_features, VisionCache)
    for numbers in ([0, 1], [1, 2, 0], [2, 2, 1]):
        inputs = inputs_of(remembering, numbers)
        with torch.no_grad():
            torch.testing.assert_close(remembering.model(**inputs).logits, looking.model(**inputs).logits)


@pytest.mark.parametrize("family", TRIED)
def test_what_play_has_seen_can_be_trained_on(folders, family):
    gradients = []
    for has_played in (True, False):
        policy = policy_of(folders, family)
        inputs = inputs_of(policy, [0, 1])
        if has_played:
            with torch.inference_mode():
                policy.model(**inputs)
        policy.model(**inputs).logits.square().mean().backward()
        gradients.append({name: p.grad for name, p in policy.model.get_decoder().named_parameters()})
    assert gradients[0].keys() == gradients[1].keys() and gradients[0]
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name])


def test_a_copy_knows_what_the_model_has_seen(folders):
    policy = policy_of(folders, "qwen2_5_vl")
    counting, inputs = Counting(policy), inputs_of(policy, [0])
    with torch.no_grad():
        policy.model(**inputs)
        deepcopy(policy.model)(**inputs)
    assert counting.rows == len(inputs["pixel_values"])


def test_the_image_that_was_not_looked_at_for_longest_is_forgotten(folders):
    policy = policy_of(folders, "qwen2_5_vl")
    counting, one = Counting(policy), len(inputs_of(policy, [0])["pixel_values"])
    with torch.no_grad():
        sight = policy.model.model.get_image_features
        before = sight._used  # of the image that loading tries the model with
        policy.model(**inputs_of(policy, [0]))
        sight.room = 2 * (sight._used - before)
        for numbers in ([1], [0], [2]):
            policy.model(**inputs_of(policy, numbers))
        assert counting.rows == 3 * one
        policy.model(**inputs_of(policy, [0]))
        assert counting.rows == 3 * one
        policy.model(**inputs_of(policy, [1]))
    assert counting.rows == 4 * one


def test_images_that_differ_in_one_bit_are_two(folders):
    policy = policy_of(folders, "internvl")
    counting, inputs = Counting(policy), inputs_of(policy, [0])
    other = inputs["pixel_values"].clone()
    other.view(torch.int32)[-1, -1, -1, -1] ^= 1
    with torch.no_grad():
        policy.model(**inputs)
        policy.model(**{**inputs, "pixel_values": other})
    assert counting.rows == 2 * len(other)


def test_eyes_that_learn_look_each_time(folders):
    for train_on in ("vision", "both"):
        model, _ = load_base(PolicyConfig(base=str(folders["qwen2_5_vl"]), train_on=train_on))
        assert not isinstance(model.model.get_image_features, VisionCache)
