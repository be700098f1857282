"""The folder that is published: an adapter or a merged model, with its card, and no file that could be executed.

It loads like its base: configuration, tokenizer, chat template and processor settings are the base's own files, byte for byte,
except for the precision in the configuration.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig

from vision_zero.config.policy import PolicyConfig
from vision_zero.config.publish import PublishConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.base_models import base_path, is_on_the_hub
from vision_zero.policy.folder import ADAPTER_FILES, CARD, CONFIG, BaseFolder, PolicyFolder
from vision_zero.policy.loading import base_of, load_base, load_policy
from vision_zero.policy.policy import Policy
from vision_zero.policy.processor import load_processor
from vision_zero.policy.provenance import Provenance
from vision_zero.policy.transformers_adapter import file_if_there
from vision_zero.publishing.rounding import changed, lost_by_rounding

GENERATION = "generation_config.json"
PROCESSOR_FILES = (
    *("processor_config.json", "preprocessor_config.json", "video_preprocessor_config.json"),
    *("chat_template.jinja", "chat_template.json", "tokenizer_config.json", "tokenizer.json"),
    *("special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "vocab.txt"),
)
"""Files of a base that its processor is loaded from."""


def build(config: PublishConfig, policy: PolicyFolder, card: str, folder: Path) -> BaseFolder:
    """Write the published folder.

    Raises:
        PolicyError: nothing has been trained yet, the base cannot be loaded or found by others, there is no adapter to publish,
            or rounding would lose too much of the training.
    """
    if policy.path is None:
        raise PolicyError("there is nothing to publish: this version is the untrained base; run the self_play pipeline first")
    folder.mkdir(parents=True, exist_ok=True)
    if config.form == "adapter" and policy.is_full:
        raise PolicyError("this version has no adapter, all of its weights were trained: publish it with form: merged")
    base = _base(config, policy.path)
    if config.form == "adapter":
        _copy_adapter(policy.path, folder, published_base(config, policy.path), published_revision(config, policy.path))
    else:
        _merge(config, base, policy.path, folder)
    _copy_processor(base, folder)
    (folder / CARD).write_text(card, encoding="utf-8")
    built = BaseFolder(folder)
    built.files()
    return built


def published_base(config: PublishConfig, trained: Path) -> str:
    """The base as a published adapter names it.

    Raises:
        PolicyError: others could not find it.
    """
    named = config.base or base_of(trained)
    if not is_on_the_hub(named) and not Path(named).is_absolute():
        raise PolicyError(
            f"an adapter is loaded by the name of its base, and {named!r} means nothing elsewhere: set base to a hub id or to a "
            "path that others have, or publish form: merged"
        )
    return named


def published_revision(config: PublishConfig, trained: Path) -> str | None:
    """The revision of the base that others need: the one that was trained on; None if it was not pinned, or is not on the hub."""
    origin, named = Provenance.read(trained), config.base or base_of(trained)
    pinned = origin.revision if origin and origin.base == named else None
    return (config.revision or pinned) if is_on_the_hub(named) else None


def _base(config: PublishConfig, trained: Path) -> PolicyConfig:
    origin = Provenance.read(trained)
    revision = config.revision or (origin.revision if origin else None)
    return PolicyConfig(base=base_of(trained), revision=revision, trust_remote_code=config.trust_remote_code)


def _copy_adapter(trained: Path, folder: Path, base: str, revision: str | None) -> None:
    weights, settings = ADAPTER_FILES
    shutil.copyfile(trained / weights, folder / weights)
    told = json.loads((trained / settings).read_text(encoding="utf-8"))
    told |= {"base_model_name_or_path": base, "revision": revision}
    (folder / settings).write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _merge(config: PublishConfig, base: PolicyConfig, trained: Path, folder: Path) -> None:
    """W + α/r · B A for each adapted weight, or the fully fine-tuned weights, rounded once."""
    policy = load_policy(base, trained, device="cpu", is_merged=True)
    if type(policy.model).__module__.split(".")[0] != "transformers":
        raise PolicyError(f"{base.base!r} needs code of its own, which is not published: publish form: adapter")
    dtype = _precision(config, base)
    if dtype != torch.float32:
        _check_rounding(config, base, policy, dtype)
    policy.model.to(dtype).save_pretrained(folder)
    shown = AutoConfig.from_pretrained(base_path(base.base), **base.source)
    for name in (CONFIG, GENERATION) if _is_alike(shown, policy.model.config) else ():
        found = _base_file(base, name)
        if found is not None:
            shutil.copyfile(found, folder / name)
    name = str(dtype).removeprefix("torch.")
    told = _in_precision(json.loads((folder / CONFIG).read_text(encoding="utf-8")), name)
    if dtype != torch.float32 and not {"dtype", "torch_dtype"} & told.keys():
        told["dtype"] = name
    (folder / CONFIG).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def _precision(config: PublishConfig, base: PolicyConfig) -> torch.dtype:
    if config.dtype != "auto":
        return torch.bfloat16 if config.dtype == "bfloat16" else torch.float32
    found = _base_file(base, CONFIG)
    told = json.loads(found.read_text(encoding="utf-8")) if found else {}
    name = told.get("dtype") or told.get("torch_dtype") or "float32"
    return {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(name, torch.float32)


def _check_rounding(config: PublishConfig, base: PolicyConfig, policy: Policy, dtype: torch.dtype) -> None:
    plain, _ = load_base(base)
    lost = lost_by_rounding(changed(plain, policy.model), dtype)
    if lost > config.max_rounding:
        raise PolicyError(
            f"rounding to {str(dtype).removeprefix('torch.')} would change the weights by {lost:.0%} of what training changed, "
            f"and max_rounding allows {config.max_rounding:.0%}: publish dtype: float32 or form: adapter, or allow more"
        )


def _is_alike(base: Any, model: Any) -> bool:
    """Whether the configuration is still the base's. Merging an adapter of the output layer unties it from the embeddings."""

    def tied(config: Any) -> tuple[bool, ...]:
        return tuple(bool(getattr(part, "tie_word_embeddings", False)) for part in (config, config.get_text_config(decoder=True)))

    return tied(base) == tied(model)


def _in_precision(told: dict[str, Any], dtype: str) -> dict[str, Any]:
    """A configuration, with its sub-configurations, for weights of that precision and without references to unpublished code."""
    parts = {
        name: _in_precision(part, dtype) for name, part in told.items() if name.endswith("_config") and isinstance(part, dict)
    }
    own: dict[str, Any] = {name: dtype for name in ("dtype", "torch_dtype") if name in told}
    return {name: value for name, value in {**told, **parts, **own}.items() if name != "auto_map"}


def _copy_processor(base: PolicyConfig, folder: Path) -> None:
    """The base's processor files; or the processor saved again if they name a class that is not in transformers, as earlier
    versions of this package wrote them. A processor that needs code of its own is not copied."""
    found = {name: path for name in PROCESSOR_FILES if (path := _base_file(base, name)) is not None}
    told = [json.loads(path.read_text(encoding="utf-8")) for name, path in found.items() if name.endswith("_config.json")]
    classes = {content["processor_class"] for content in told if content.get("processor_class")}
    if any("auto_map" in content for content in told) or not all(hasattr(transformers, name) for name in classes):
        found = {}
    if "tokenizer.json" not in found:
        processor = load_processor(base_path(base.base), **base.source)
        if type(processor).__module__.split(".")[0] not in ("transformers", "vision_zero"):
            return
        (processor.tokenizer if found else processor).save_pretrained(folder)
    for name, path in found.items():
        shutil.copyfile(path, folder / name)


def _base_file(base: PolicyConfig, name: str) -> Path | None:
    return file_if_there(base_path(base.base), name, base.revision)
