"""What vision_zero/policy/adapter_io.py relies on of peft beyond its public interface."""

import inspect

from peft import LoraConfig, get_peft_model
from peft.utils import save_and_load

from vision_zero.config.policy import PolicyConfig
from vision_zero.policy.adapter_io import unwrapped
from vision_zero.policy.loading import load_base


def test_wrapped_embeddings_show_the_module_below(tiny_base):
    model, _ = load_base(PolicyConfig(base=str(tiny_base)))
    embeddings = model.get_input_embeddings()
    assert unwrapped(embeddings) is embeddings
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj"], trainable_token_indices=[2, 5]))
    wrapped = adapted.get_input_embeddings()
    assert wrapped is not embeddings
    assert unwrapped(wrapped) is embeddings, "peft names the wrapped module otherwise than original_module"


def test_the_warning_about_a_base_without_a_folder_has_the_words_that_are_filtered():
    source = inspect.getsource(save_and_load.get_peft_model_state_dict)
    assert "Could not find a config file in {model_id}" in source, "the filter in adapter_io.py matches no longer"
