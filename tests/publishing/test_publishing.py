"""What is published is the policy that was trained, whole or not at all, wherever it goes."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.publishing.policies import CARD, settings
from vision_zero.config.policy import PolicyConfig
from vision_zero.errors import PolicyError, PublishError
from vision_zero.policy.chats import user_message
from vision_zero.policy.folder import PolicyFolder
from vision_zero.policy.loading import load_base, load_policy
from vision_zero.publishing.build import build
from vision_zero.publishing.targets import deliver
from vision_zero.randomness import Seed

pytestmark = pytest.mark.slow


def log_probs(base, folder=None):
    """Of every word after a question about an image."""
    policy = load_policy(PolicyConfig(base=str(base)), folder)
    inputs = policy.encode([user_message("What do you see?", Image.new("RGB", (112, 112), "teal"))])
    with torch.no_grad():
        return policy.model.eval()(**inputs).logits.log_softmax(-1)


def test_a_merged_model_is_the_base_with_its_adapter(tiny_base, trained, tmp_path):
    merged = build(settings(), trained, CARD, tmp_path / "merged")
    own, adapted, plain = log_probs(merged.path), log_probs(tiny_base, trained.path), log_probs(tiny_base)
    assert (own - adapted).abs().max() < 1e-4
    assert (own - plain).abs().max() > 1e-2
    assert not (merged.path / "adapter_config.json").exists()
    assert (merged.path / "README.md").read_text() == CARD
    for file in merged.path.glob("*.json"):
        if file.name != "tokenizer.json":
            assert str(tiny_base) not in file.read_text(), file.name


def test_a_merged_model_answers_alike(tiny_base, trained, tmp_path):
    merged = build(settings(), trained, CARD, tmp_path / "merged")
    asked = [user_message("What do you see?", Image.new("RGB", (112, 112), "teal"))]
    replies = [
        load_policy(PolicyConfig(base=str(base)), folder).complete(asked, 8, Seed(1))
        for base, folder in ((merged.path, None), (tiny_base, trained.path))
    ]
    assert replies[0] == replies[1]


def test_an_adapter_is_published_with_its_processor_and_without_its_optimiser(built, tiny_base):
    processor = {path.name for path in tiny_base.iterdir()} - {"config.json", "generation_config.json", "model.safetensors"}
    assert set(built.files()) == {"README.md", "adapter_config.json", "adapter_model.safetensors", *processor}


def test_an_adapter_names_a_base_that_others_can_find(trained, tmp_path):
    folder = shutil.copytree(trained.path, tmp_path / "policy")
    told = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(told | {"base_model_name_or_path": "nano"}))
    with pytest.raises(PolicyError, match="'nano' means nothing elsewhere: set base"):
        build(settings(form="adapter"), PolicyFolder(folder), CARD, tmp_path / "refused")
    made = build(settings(form="adapter", base="ada/nano"), PolicyFolder(folder), CARD, tmp_path / "named")
    assert json.loads((made.path / "adapter_config.json").read_text())["base_model_name_or_path"] == "ada/nano"


@pytest.mark.parametrize("size", [1e-4, 5e-5])
def test_small_updates_are_not_rounded_away_without_a_word(tiny_base, trained, tmp_path, size):
    folder = shutil.copytree(trained.path, tmp_path / "small")
    tensors = load_file(folder / "adapter_model.safetensors")
    for name, tensor in tensors.items():
        if "lora_B" in name:
            tensor.mul_(size / tensor.abs().mean())
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    small = PolicyFolder(folder)
    with pytest.raises(PolicyError, match=r"rounding to bfloat16 would change the weights by \d+% of") as caught:
        build(settings(dtype="bfloat16"), small, CARD, tmp_path / "half")
    assert "\n" not in str(caught.value)
    merged, adapted, plain = (
        log_probs(build(settings(), small, CARD, tmp_path / "whole").path),
        log_probs(tiny_base, folder),
        log_probs(tiny_base),
    )
    assert (merged - adapted).abs().max() < 0.1 * (adapted - plain).abs().max()


def test_half_precision_is_published_where_what_was_learned_survives(trained, tmp_path):
    made = build(settings(dtype="bfloat16"), trained, CARD, tmp_path / "half").path
    assert {tensor.dtype for tensor in load_file(made / "model.safetensors").values()} == {torch.bfloat16}
    config = json.loads((made / "config.json").read_text())
    parts = [part["dtype"] for part in (config["text_config"], config["vision_config"]) if "dtype" in part]
    assert {config["dtype"], *parts} == {"bfloat16"}
    assert load_policy(PolicyConfig(base=str(made), dtype="auto"), None).model.dtype == torch.bfloat16


def test_an_output_layer_that_was_trained_is_published_apart_from_the_embeddings(tiny_base, tmp_path):
    model, _ = load_base(PolicyConfig(base=str(tiny_base)))
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj"], modules_to_save=["lm_head"]))
    for name, parameter in adapted.named_parameters():
        if "modules_to_save" in name:
            parameter.data.mul_(0.5)
    adapted.save_pretrained(tmp_path / "policy")
    made = build(settings(), PolicyFolder(tmp_path / "policy"), CARD, tmp_path / "merged").path
    assert torch.allclose(log_probs(made), log_probs(tiny_base, tmp_path / "policy"), atol=1e-4)


def test_the_bare_base_is_nothing_to_publish(tmp_path):
    with pytest.raises(PolicyError, match="nothing to publish"):
        build(settings(), PolicyFolder(None), CARD, tmp_path / "merged")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (" ", "target is empty"),
        ("hub:name", "does not name a repository"),
        ("hub:owner/", "does not name a repository"),
        ("hf://owner/name", "write hub:owner/name"),
        ("https://huggingface.co/owner/name", "write hub:owner/name"),
        ("s3:/bucket/path", "write 's3://bucket/path'"),
    ],
)
def test_a_target_names_a_place(target, words):
    with pytest.raises(ValueError, match=words):
        settings(target=target)


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_replaced_only_when_asked(built, larger, tmp_path):
    target = tmp_path / "out" / "policy"
    config = settings(target=str(target))
    assert deliver(larger, config).address == config.target
    with pytest.raises(
        PublishError, match=r"holds something already, a policy of 9 files \(README.md, .* and 6 more\): .* replace"
    ):
        deliver(built, config)
    done = deliver(built, config.model_copy(update={"replace": True}))
    assert done.replaced == larger.files()
    assert {path.name for path in target.iterdir()} == {*built.files(), "contents.json"}
    assert {name: (target / name).read_bytes() for name in built.files()} == content(built.path)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["policy"]
    assert deliver(built, config.model_copy(update={"replace": True})).kept == ()


def test_what_was_not_published_is_never_touched(built, tmp_path):
    """``target: ~/models`` with other people's models in it."""
    target = tmp_path / "models"
    (target / "llama").mkdir(parents=True)
    (target / "llama" / "model.safetensors").write_bytes(b"weights")
    (target / "notes.txt").write_text("mine")
    before = content(target)
    for replace in (False, True):
        with pytest.raises(PublishError, match=r"that was not published there \(llama, notes.txt\): nothing is touched"):
            deliver(built, settings(target=str(target), replace=replace))
    assert content(target) == before


@pytest.mark.parametrize(
    "list_", ["{}[", "{}", '{"files": {}}', '{"files": {"../notes.txt": {"bytes": 1, "sha256": "0"}}}', '{"mine": 1}']
)
def test_a_list_that_publishing_did_not_write_is_no_leave_to_delete(built, tmp_path, list_):
    target = tmp_path / "models"
    target.mkdir()
    (target / "contents.json").write_text(list_)
    (tmp_path / "notes.txt").write_text("mine")
    before = content(tmp_path)
    with pytest.raises(PublishError, match="does not list what was published there: nothing is touched"):
        deliver(built, settings(target=str(target), replace=True))
    assert content(tmp_path) == before


def test_what_lies_beside_a_published_policy_stays(built, larger, tmp_path):
    target = tmp_path / "policy"
    config = settings(target=str(target), replace=True)
    deliver(larger, config)
    for name in ("policy.old", "policy.new"):  # as somebody may call folders beside it
        (tmp_path / name).mkdir()
    (target / "notes.txt").write_text("mine")
    (target / "runs").mkdir()
    assert deliver(built, config).kept == ("notes.txt", "runs")
    assert (target / "notes.txt").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"policy", "policy.old", "policy.new"}
    (target / "config.json").write_text("mine, too")
    with pytest.raises(PublishError, match=r"holds config.json, which was not published there and would be overwritten"):
        deliver(larger, config)
    assert (target / "config.json").read_text() == "mine, too"


def make_notes(card):
    card.write_text("my own notes")


def make_folder(card):
    card.unlink()
    card.mkdir()
    (card / "mine").write_text("mine, too")


@pytest.mark.parametrize("change", [make_notes, make_folder])
def test_a_published_file_that_somebody_changed_is_not_replaced(built, larger, tmp_path, change):
    target = tmp_path / "policy"
    config = settings(target=str(target), replace=True)
    deliver(larger, config)
    change(target / "README.md")
    before = content(target)
    with pytest.raises(PublishError, match=r"holds README.md, which changed since it was published there: nothing is touched"):
        deliver(built, config)
    assert content(target) == before
    (target / "README.md").rename(tmp_path / "notes")
    deliver(built, config)
    assert {name: (target / name).read_bytes() for name in built.files()} == content(built.path)


def test_an_address_of_a_file_is_a_folder_and_an_unknown_home_is_a_name(built, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert deliver(built, settings(target=f"file://{tmp_path}/models")).address == f"{tmp_path}/models"
    deliver(built, settings(target="~nobody-of-this-name/models"))
    assert content(tmp_path / "models") == content(tmp_path / "~nobody-of-this-name/models")


def test_a_folder_may_be_there_and_be_empty(built, tmp_path):
    deliver(built, settings(target=str(tmp_path)))
    assert (tmp_path / "adapter_config.json").is_file()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_publication_that_is_cut_off_opens_as_nothing_and_the_same_again_works(built, larger, tmp_path, replaced, monkeypatch):
    target = tmp_path / "policy"
    config = settings(target=str(target), replace=replaced)
    if replaced:
        deliver(larger, config)
    move, moved = Path.replace, []

    def cut_off(path, other):
        if path.name == "tokenizer.json.new":
            raise KeyboardInterrupt
        moved.append(path.name)
        return move(path, other)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", cut_off)
        deliver(built, config)
    assert "adapter_model.safetensors.new" in moved
    assert not {"config.json", "adapter_config.json"} & {path.name for path in target.iterdir()}
    deliver(built, config)
    assert {path.name for path in target.iterdir()} == {*built.files(), "contents.json"}


def test_a_full_disk_leaves_what_was_published(built, larger, tmp_path, monkeypatch):
    target = tmp_path / "policy"
    deliver(larger, settings(target=str(target)))
    before = content(target)
    copy = shutil.copyfile

    def full(source, to):
        if to.name == "tokenizer.json.new":
            to.write_text("half")
            raise OSError(28, "No space left on device")
        return copy(source, to)

    with monkeypatch.context() as patch, pytest.raises(PublishError, match="No space left"):
        patch.setattr(shutil, "copyfile", full)
        deliver(built, settings(target=str(target), replace=True))
    assert content(target) == before


def test_a_folder_that_cannot_be_written_is_one_line(built, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PublishError, match="cannot be written") as caught:
        deliver(built, settings(target=str(tmp_path / "file" / "policy")))
    assert "\n" not in str(caught.value)
