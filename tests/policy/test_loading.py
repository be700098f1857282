"""Loading a policy with its adapter or merged; folders that are no policy are refused in one line that says what is wrong."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from peft import LoraConfig, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import dynamic_module_utils
from transformers.utils import is_flash_attn_2_available

from tests.make import scene_pairs, write_tiny_adapter
from tests.policy.families import write_family
from vision_zero.config.policy import PolicyConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.chats import user_message
from vision_zero.policy.loading import base_of, load_base, load_policy
from vision_zero.policy.provenance import Provenance
from vision_zero.randomness import Seed


def spoil_nothing_there(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def spoil_config(folder):
    (folder / "config.json").write_text("{ half")


def spoil_weights_away(folder):
    (folder / "model.safetensors").unlink()


def spoil_weights_cut(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def spoil_pickle(folder):
    (folder / "model.safetensors").unlink()
    torch.save({"weight": torch.zeros(1)}, folder / "pytorch_model.bin")


def spoil_tokenizer(folder):
    (folder / "tokenizer.json").write_text("not json")


def spoil_template(folder):
    (folder / "chat_template.jinja").unlink()


SPOILS = [
    spoil_nothing_there,
    spoil_config,
    spoil_weights_away,
    spoil_weights_cut,
    spoil_pickle,
    spoil_tokenizer,
    spoil_template,
]


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: spoil.__name__.removeprefix("spoil_"))
def test_a_broken_base_is_refused_in_one_line(tiny_base, tmp_path, spoil):
    folder = tmp_path / "base"
    shutil.copytree(tiny_base, folder)
    spoil(folder)
    with pytest.raises(PolicyError) as caught:
        load_policy(PolicyConfig(base=str(folder)), None)
    assert "\n" not in str(caught.value)


def test_a_base_that_no_hub_can_give_says_what_to_give_instead():
    with pytest.raises(PolicyError, match="local folder"):
        load_policy(PolicyConfig(base="nobody/has-this-model"), None)


@pytest.fixture
def base_with_code(tiny_base, tmp_path):
    """Brings a module along, as models on a hub do, which leaves a mark when it is run."""
    folder = shutil.copytree(tiny_base, tmp_path / "with_code")

    def write(model_type):
        (folder / "configuration_own.py").write_text(
            f"from pathlib import Path\nfrom transformers import Qwen2_5_VLConfig\nPath({str(folder)!r}, 'ran').touch()\n"
            f"class OwnConfig(Qwen2_5_VLConfig):\n    model_type = {model_type!r}\n"
        )
        config = json.loads((folder / "config.json").read_text())
        config |= {"model_type": model_type, "auto_map": {"AutoConfig": "configuration_own.OwnConfig"}}
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    return write


def test_code_that_comes_with_a_model_is_not_run_unless_asked_for(base_with_code, tmp_path, monkeypatch):
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder = base_with_code("of_its_own")
    with pytest.raises(PolicyError, match="could not be loaded") as caught:
        load_base(PolicyConfig(base=str(folder)))
    assert "\n" not in str(caught.value)
    assert not (folder / "ran").exists()
    with pytest.raises(PolicyError):  # it is no model that could play; but its code was asked for
        load_base(PolicyConfig(base=str(folder), trust_remote_code=True))
    assert (folder / "ran").exists()


def test_a_known_model_is_loaded_without_the_code_that_it_brings(base_with_code):
    folder = base_with_code("qwen2_5_vl")
    load_base(PolicyConfig(base=str(folder)))
    assert not (folder / "ran").exists()


def test_attention_is_computed_by_whom_the_settings_name(tiny_base):
    auto, torchs = (load_base(PolicyConfig(base=str(tiny_base), attention=name))[0] for name in ("auto", "sdpa"))
    assert auto.config._attn_implementation == torchs.config._attn_implementation == "sdpa"
    assert torchs.config.text_config._attn_implementation == torchs.config.vision_config._attn_implementation == "sdpa"


@pytest.mark.skipif(is_flash_attn_2_available(), reason="it is there")
def test_an_attention_whose_package_is_missing_is_one_line(tiny_base):
    with pytest.raises(PolicyError, match="needs the package flash-attn") as caught:
        load_base(PolicyConfig(base=str(tiny_base), dtype="bfloat16", attention="flash_attention_2"))
    assert "\n" not in str(caught.value)


def test_a_folder_without_an_adapter_is_refused(tiny_base, tmp_path):
    with pytest.raises(PolicyError, match="holds no adapter"):
        load_policy(PolicyConfig(base=str(tiny_base)), tmp_path)


@pytest.mark.slow
def test_a_merged_policy_says_what_it_said_with_its_adapter(tiny_base, tmp_path):
    config = PolicyConfig(base=str(tiny_base))
    folder = write_tiny_adapter(tiny_base, tmp_path / "policy")
    adapted, merged, bare = (
        load_policy(config, path, is_merged=flag) for path, flag in ((folder, False), (folder, True), (None, True))
    )
    asked = adapted.encode([user_message("Who is the spy?", scene_pairs(1)[0].original)])
    with torch.inference_mode():
        one, two, other = (policy.model(**asked).logits for policy in (adapted, merged, bare))
    assert torch.allclose(one, two, atol=1e-5)
    assert not torch.allclose(one, other, atol=1e-2)


@pytest.mark.slow
def test_a_merged_policy_beside_its_base_answers_as_either(tiny_base, tmp_path):
    config = PolicyConfig(base=str(tiny_base))
    folder = write_tiny_adapter(tiny_base, tmp_path / "policy")
    apart, merged = (load_policy(config, folder, is_merged=flag, beside_base=True) for flag in (False, True))
    assert not any("lora" in name for name, _ in merged.model.named_parameters())
    asked = [user_message("Who is the spy?", pair.original) for pair in scene_pairs(3)]

    def said(policy, as_base):
        return replace(policy, greedy=True, as_base=as_base).complete(asked, 8, Seed(1))

    for as_base in (False, True):
        assert said(merged, as_base) == said(apart, as_base)
    assert said(merged, as_base=True) != said(merged, as_base=False)


@pytest.fixture(scope="module")
def small_update(tiny_base, tmp_path_factory):
    """An adapter as it is after a few dozen steps: |B| of 1e-4."""
    folder = write_tiny_adapter(tiny_base, tmp_path_factory.mktemp("small") / "policy")
    tensors = load_file(folder / "adapter_model.safetensors")
    for name, tensor in tensors.items():
        if "lora_B" in name:
            tensor.mul_(1e-4 / tensor.abs().mean())
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    return folder


def answer_log_probs(policy):
    asked = policy.encode([user_message("Who is the spy?", scene_pairs(1)[0].original)])
    with torch.inference_mode():
        return policy.model.eval()(**asked).logits.float().log_softmax(-1)


def test_half_precision_is_played_with_its_adapter_apart(tiny_base, small_update):
    """Merged into bfloat16, half of such an update would be rounded away."""
    config = PolicyConfig(base=str(tiny_base), dtype="bfloat16")
    apart, asked_for = (load_policy(config, small_update, is_merged=flag, beside_base=flag) for flag in (False, True))
    assert torch.equal(answer_log_probs(apart), answer_log_probs(asked_for))
    assert torch.equal(answer_log_probs(load_policy(config, small_update, is_merged=True)), answer_log_probs(apart))


def test_in_float32_a_merged_small_update_says_the_same(tiny_base, small_update):
    config = PolicyConfig(base=str(tiny_base))
    apart, merged, bare = (
        answer_log_probs(load_policy(config, folder, is_merged=flag))
        for folder, flag in ((small_update, False), (small_update, True), (None, False))
    )
    assert (apart - merged).abs().max() < 0.05 * (apart - bare).abs().max()


def adapter_of(base, folder, settings):
    """The folder of an adapter of these settings that changes what the base says."""
    model, _ = load_base(PolicyConfig(base=str(base)))
    with torch.random.fork_rng():
        torch.manual_seed(1)
        get_peft_model(model, settings).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_an_adapter_with_trained_tokens_is_loaded_and_merged(tiny_base, tmp_path):
    """peft's ``trainable_token_indices``: rows of the embeddings beside the low-rank updates."""
    model, _ = load_base(PolicyConfig(base=str(tiny_base)))
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj"], trainable_token_indices=[2, 5]))
    for name, parameter in adapted.named_parameters():
        if "trainable_tokens_delta" in name:
            parameter.data.add_(0.5)
    adapted.save_pretrained(tmp_path / "policy")
    config = PolicyConfig(base=str(tiny_base))
    apart, merged, bare = (
        answer_log_probs(load_policy(config, folder, is_merged=flag))
        for folder, flag in ((tmp_path / "policy", False), (tmp_path / "policy", True), (None, False))
    )
    assert torch.allclose(apart, merged, atol=1e-4)
    assert (apart - bare).abs().max() > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["lm_head", "embed_tokens"])
def test_an_adapter_of_the_embeddings_is_loaded_and_merged_without_the_layer_tied_to_it(tiny_base, tmp_path, layer):
    """peft saves the base's embeddings beside it: those of another base are refused."""
    folder = adapter_of(tiny_base, tmp_path / "policy", LoraConfig(r=4, target_modules=[layer], init_lora_weights=False))
    config = PolicyConfig(base=str(tiny_base))
    apart, merged, bare = (
        load_policy(config, path, is_merged=flag) for path, flag in ((folder, False), (folder, True), (None, False))
    )
    changed = answer_log_probs(apart)
    assert torch.allclose(changed, answer_log_probs(merged), atol=1e-4)
    with apart.model.disable_adapter():
        assert torch.equal(answer_log_probs(apart), answer_log_probs(bare))
    assert (changed - answer_log_probs(bare)).abs().max() > 0.1
    tensors = load_file(folder / "adapter_model.safetensors")
    (name,) = (name for name in tensors if name.endswith(".base_layer.weight"))
    save_file({**tensors, name: tensors[name] + 1}, folder / "adapter_model.safetensors")
    with pytest.raises(PolicyError, match="was trained on other weights"):
        load_policy(config, folder)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (LoraConfig(r=4, target_modules=["q_proj"], bias="all"), "biases were trained"),
        (LoraConfig(r=4, target_modules=["q_proj"], bias="lora_only"), "biases were trained"),
        (PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4), "PROMPT_TUNING adds tokens"),
    ],
)
def test_an_adapter_that_switching_off_does_not_remove_is_refused(tiny_base, tmp_path, settings, reason):
    folder = adapter_of(tiny_base, tmp_path / "policy", settings)
    for is_merged in (False, True):
        with pytest.raises(PolicyError, match=reason):
            load_policy(PolicyConfig(base=str(tiny_base)), folder, is_merged=is_merged)


@pytest.mark.slow
def test_an_adapter_on_the_vision_side_is_switched_off_with_all_that_it_saw(tiny_base, tmp_path):
    """Images that the adapter changes the sight of are not remembered: the reference would see through the policy's eyes."""
    settings = LoraConfig(r=4, target_modules=r".*visual.*\.(qkv|proj)", init_lora_weights=False)
    adapter_of(tiny_base, tmp_path / "policy", settings)
    config = PolicyConfig(base=str(tiny_base))
    bare = answer_log_probs(load_policy(config, None))
    apart = load_policy(config, tmp_path / "policy")
    changed = answer_log_probs(apart)
    assert (changed - bare).abs().max() > 0.1
    with apart.model.disable_adapter():
        assert torch.equal(answer_log_probs(apart), bare)
    assert torch.equal(answer_log_probs(apart), changed)
    beside = load_policy(config, tmp_path / "policy", is_merged=True, beside_base=True)
    assert torch.allclose(answer_log_probs(beside), changed, atol=1e-4)
    assert torch.equal(answer_log_probs(replace(beside, model=beside.base)), bare)


@pytest.fixture
def other_base(tmp_path):
    """Another model of the same shape."""
    return write_family("qwen2_5_vl", tmp_path / "other", seed=1)


def trained_on(base, folder):
    """The folder of an adapter that was trained here on that base."""
    model, _ = load_base(PolicyConfig(base=str(base)))
    origin = Provenance.of(PolicyConfig(base=str(base)), model)
    write_tiny_adapter(base, folder)
    origin.write(folder)
    return folder


@pytest.mark.slow
def test_an_adapter_of_another_base_of_the_same_shape_is_refused(other_base, tmp_path):
    own = write_family("qwen2_5_vl", tmp_path / "own")
    folder = trained_on(own, tmp_path / "policy")
    load_policy(PolicyConfig(base=str(own)), folder)
    moved = own.rename(tmp_path / "moved")
    load_policy(PolicyConfig(base=str(moved), dtype="bfloat16"), folder)  # elsewhere, and in half precision, it is the same base
    with pytest.raises(PolicyError, match=r"was trained on .*own.*, and the weights of .*other.* are others") as caught:
        load_policy(PolicyConfig(base=str(other_base)), folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{ half", "{}", "[]"])
def test_an_adapter_that_does_not_name_its_base_is_one_line(tmp_path, text):
    (tmp_path / "adapter_config.json").write_text(text)
    with pytest.raises(PolicyError, match=r"adapter_config\.json does not name its base") as caught:
        base_of(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_adapter_of_a_base_of_another_shape_is_refused(tiny_base, other_base, tmp_path):
    """Made elsewhere: nothing says what it belongs to, but its tensors do not fit, or some have no place."""
    folder = write_tiny_adapter(tiny_base, tmp_path / "policy")
    with pytest.raises(PolicyError, match="holds no adapter that fits") as caught:
        load_policy(PolicyConfig(base=str(other_base)), folder)
    assert "\n" not in str(caught.value)


def test_an_adapter_with_less_tensors_than_places_is_refused(tiny_base, tmp_path):
    """peft only warns, and the rest of the policy would be the base's."""
    folder = write_tiny_adapter(tiny_base, tmp_path / "policy")
    tensors = load_file(folder / "adapter_model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if "layers.1." not in name}
    assert 0 < len(kept) < len(tensors)
    save_file(kept, folder / "adapter_model.safetensors")
    with pytest.raises(PolicyError, match="tensors have no counterpart"):
        load_policy(PolicyConfig(base=str(tiny_base)), folder)
