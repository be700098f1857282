"""The folder that is published: an adapter or a merged model, with its card, and no file that could be executed."""

from __future__ import annotations

import shutil
from pathlib import Path

from vision_zero.config.policy import PolicyConfig
from vision_zero.config.publish import PublishConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.folder import ADAPTER_FILES, CARD, BaseFolder, PolicyFolder
from vision_zero.policy.loading import base_of, load_policy


def build(config: PublishConfig, policy: PolicyFolder, card: str, folder: Path) -> BaseFolder:
    """Write the published folder.

    Raises:
        PolicyError: nothing has been trained yet, the base cannot be loaded, or an adapter is asked for and there is none.
    """
    if policy.path is None:
        raise PolicyError("there is nothing to publish: this version is the bare base; run the self_play pipeline first")
    folder.mkdir(parents=True, exist_ok=True)
    if config.form == "adapter" and policy.is_whole:
        raise PolicyError("this version has no adapter, all of its weights were trained: publish it with form: merged")
    if config.form == "adapter":
        for name in ADAPTER_FILES:
            shutil.copyfile(policy.path / name, folder / name)
    else:
        _merge(config, policy.path, folder)
    (folder / CARD).write_text(card, encoding="utf-8")
    built = BaseFolder(folder)
    built.files()
    return built


def _merge(config: PublishConfig, trained: Path, folder: Path) -> None:
    """W + α/r · B A in place of each adapted weight, or the weights as they were trained; then tokenizer and processor."""
    base = PolicyConfig(
        base=base_of(trained), revision=config.revision, dtype=config.dtype, trust_remote_code=config.trust_remote_code
    )
    policy = load_policy(base, trained, device="cpu", is_merged=True)
    policy.model.save_pretrained(folder)
    policy.processor.save_pretrained(folder)
