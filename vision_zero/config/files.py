"""Checking pipeline configuration files before anything runs.

ZenML ignores unknown top-level keys and unknown step keys in silence, and buries errors of parameters in a long traceback; here
each is one sentence that names the place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from vision_zero.config.ablation import AblationConfig, ArmRun, plan
from vision_zero.config.base import problems
from vision_zero.config.build_pairs import BuildPairsConfig
from vision_zero.config.credentials import refuse_credentials, refuse_credentials_in_text
from vision_zero.config.publish import PublishConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.suites import EvaluateConfig
from vision_zero.config.warm_start import WarmStartConfig
from vision_zero.errors import ConfigError

ROOTS: dict[str, type[BaseModel]] = {
    "ablation": AblationConfig,
    "build_pairs": BuildPairsConfig,
    "evaluate": EvaluateConfig,
    "publish": PublishConfig,
    "self_play": SelfPlayConfig,
    "warm_start": WarmStartConfig,
}
"""The configuration tree of each pipeline, by the name of the folder under ``configs/`` that its files are in."""

RUN_KEYS = frozenset(
    "build cache_policy cleanup_hook_source enable_artifact_metadata enable_artifact_visualization enable_cache enable_heartbeat "
    "enable_pipeline_logs enable_step_logs end_hook_source environment execution_mode extra failure_hook_source init_hook_kwargs "
    "init_hook_source model parameters pause_hook_source resume_hook_source retry run_name schedule secrets settings "
    "start_hook_source steps substitutions success_hook_source tags".split()
)
"""What ZenML 0.98 reads at the top of a file; a test holds both sets to ZenML's own models."""
STEP_KEYS = frozenset(
    "cache_policy enable_artifact_metadata enable_artifact_visualization enable_cache enable_step_logs end_hook_source "
    "environment experiment_tracker extra failure_hook_source group heartbeat_healthy_threshold model outputs parameters retry "
    "runtime secrets settings start_hook_source step_operator substitutions success_hook_source".split()
)
"""What ZenML 0.98 reads below a step's name."""


def check_file(path: Path) -> str:
    """Check a file.

    Returns:
        A sentence that says what it configures.

    Raises:
        ConfigError: the file cannot be read, or a key, type or value in it is wrong.
    """
    data = read_yaml(path)
    _check_keys(data)
    parameters = data.get("parameters")
    if not isinstance(parameters, dict) or "config" not in parameters:
        raise ConfigError(f"{path}: parameters.config is missing: the settings of the run belong there")
    unknown = sorted(set(parameters) - {"config", "rounds"})
    if unknown:
        raise ConfigError(f"{path}: parameters.{unknown[0]} is not known; did you mean parameters.config.{unknown[0]}?")
    root = ROOTS.get(path.resolve().parent.name, SelfPlayConfig)
    try:
        config = root.model_validate(parameters["config"])
    except ValidationError as error:
        raise ConfigError(f"{path}: {problems(error)}") from error
    if isinstance(config, AblationConfig):
        return f"a valid configuration of an ablation of {len(read_arms(config))} arms and seeds"
    return f"a valid configuration of {root.__name__.removesuffix('Config')}"


def read_self_play(path: Path) -> SelfPlayConfig:
    """The settings of a self-play recipe.

    Raises:
        ConfigError: the file cannot be read, or holds another configuration.
    """
    check_file(path)
    try:
        return SelfPlayConfig.model_validate(read_yaml(path)["parameters"]["config"])
    except ValidationError as error:
        raise ConfigError(f"{path} is no recipe of self-play: {problems(error)}") from error


def read_arms(config: AblationConfig) -> list[ArmRun]:
    """Every arm of an ablation with every seed, built on its recipe.

    Raises:
        ConfigError: the recipe cannot be read, or an arm is no self-play configuration.
    """
    recipe = (read_yaml(Path(config.recipe)).get("parameters") or {}).get("config") or {}
    return plan(config, recipe)


def read_yaml(path: Path) -> dict[str, Any]:
    """The file's mapping; tags that would make objects are refused, and so is what looks like a credential.

    Raises:
        ConfigError: there is no such file, it is no YAML mapping, or it holds a credential.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {_complaint(error)}") from None
    refuse_credentials(data, str(path))
    refuse_credentials_in_text(text, str(path))
    if not isinstance(data, dict):
        raise ConfigError(f"{path} holds no settings: it must be a mapping with the key parameters")
    return data


def _complaint(error: yaml.YAMLError) -> str:
    """What is wrong and where, without the piece of the file that PyYAML quotes: it may be a password."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem} in line {error.problem_mark.line + 1}"
    return "it holds a character that YAML does not allow"


def _check_keys(data: dict[str, Any]) -> None:
    """Refuse what ZenML would ignore: unknown keys at the top and below ``steps``."""
    unknown = sorted(set(data) - RUN_KEYS)
    if unknown:
        raise ConfigError(f"{unknown[0]} is not a key of a pipeline configuration: ZenML would ignore it")
    for step, settings in (data.get("steps") or {}).items():
        strange = sorted(set(settings or {}) - STEP_KEYS)
        if strange:
            raise ConfigError(f"steps.{step}.{strange[0]} is not a key of a step: ZenML would ignore it")
