"""What vision_zero/policy/transformers_adapter.py relies on of transformers beyond its public interface.

After an upgrade the test that fails names what changed: mend the adapter, and nothing else.
"""

import inspect
import logging

import pytest
import torch
from transformers import Trainer, trainer_utils
from transformers.cache_utils import Cache, DynamicLayer, StaticLayer
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.utils.hub import cached_files

from tests.make import scene_pairs
from vision_zero.config.policy import PolicyConfig
from vision_zero.policy.chats import user_message
from vision_zero.policy.families import FAMILIES
from vision_zero.policy.loading import load_policy
from vision_zero.policy.transformers_adapter import StrictLoading, file_if_there, position_ids, replace_method, restore_method


def parameters(function):
    """Names of a function's parameters, without ``self``."""
    return [name for name in inspect.signature(function).parameters if name != "self"]


@pytest.fixture(scope="module")
def policy(tiny_base):
    return load_policy(PolicyConfig(base=str(tiny_base)), None)


def test_position_ids_are_those_that_the_model_computes_for_itself(policy):
    inputs = policy.encode([user_message("Speak.", pair.original) for pair in scene_pairs(2)])
    positions = position_ids(policy.model, inputs)
    assert positions.shape[-2:] == inputs["input_ids"].shape
    with torch.no_grad():
        given, own = policy.model(**inputs, position_ids=positions).logits, policy.model(**inputs).logits
    assert torch.equal(given[:, -1], own[:, -1]), "_prepare_position_ids_for_generation no longer returns the model's positions"


def test_checkpointed_layers_ask_whether_they_may_keep_a_cache(policy):
    layers = policy.model.get_decoder().layers
    assert all(isinstance(layer, GradientCheckpointingLayer) for layer in layers)
    assert GradientCheckpointingLayer._can_checkpoint_with_cache is False, "the attribute has another name or default"
    assert "_can_checkpoint_with_cache" in inspect.getsource(GradientCheckpointingLayer), "it is no longer asked"


def test_a_missing_optional_file_is_no_error(tiny_base):
    for what in ("missing_entries", "connection_errors", "gated_repo"):
        assert f"_raise_exceptions_for_{what}" in parameters(cached_files), f"cached_file cannot be silent about {what}"
    assert file_if_there(str(tiny_base), "no_such_file.json") is None
    assert file_if_there(str(tiny_base), "config.json") == tiny_base / "config.json"


def test_files_name_the_class_by_its_name(policy, tmp_path):
    assert isinstance(policy.processor, FAMILIES["qwen2_5_vl"].processor)
    policy.processor.save_pretrained(tmp_path)
    assert '"processor_class": "Qwen2_5_VLProcessor"' in (tmp_path / "processor_config.json").read_text()


def test_a_method_on_the_model_is_the_one_that_is_called(policy):
    model, asked = policy.model, policy.encode([user_message("Speak.", scene_pairs(1)[0].original)])
    calls, own = [], model.base_model.get_image_features
    replace_method(model.base_model, "get_image_features", lambda *args, **how: calls.append(1) or own(*args, **how))
    try:
        with torch.no_grad():
            model(**asked)
        assert calls == [1], "the model no longer calls its own get_image_features"
    finally:
        assert restore_method(model.base_model, "get_image_features")
    assert not restore_method(model.base_model, "get_image_features")


def test_the_trainer_loads_weights_by_the_method_that_is_overridden():
    assert parameters(Trainer._load_from_checkpoint) == ["resume_from_checkpoint", "model"]
    assert "self._load_from_checkpoint(resume_from_checkpoint" in inspect.getsource(Trainer.train)
    loaded = []

    class Loading(StrictLoading, Trainer):
        def __init__(self):
            pass

        def load_weights(self, folder):
            loaded.append(folder.name)

    Loading()._load_from_checkpoint("some/checkpoint-3")
    assert loaded == ["checkpoint-3"]


def test_layers_of_the_cache_have_the_methods_that_ours_override():
    """Documented classes, but only models call their methods: for decoding.py, compiled_decoding.py and shared_prefix.py."""
    assert parameters(DynamicLayer.update)[:2] == ["key_states", "value_states"]
    assert parameters(DynamicLayer.lazy_initialization) == ["key_states", "value_states"]
    assert parameters(DynamicLayer.batch_select_indices) == ["indices"]
    assert parameters(Cache.batch_select_indices) == ["indices"]
    assert "max_cache_len" in parameters(StaticLayer.__init__)


def test_the_other_stages_batch_size_is_not_warned_of():
    assert "per_device_train_batch_size" in inspect.getsource(trainer_utils.compare_trainer_and_checkpoint_args)
    logger = logging.getLogger("transformers.trainer_utils")
    record = logger.makeRecord("n", logging.WARNING, "f", 1, "per_device_train_batch_size: 4 (from args) != 8", (), None)
    assert not logger.filter(record)
