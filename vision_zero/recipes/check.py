"""Checks pipeline configuration files before anything runs.

ZenML silently ignores unknown keys at the top and below steps, and reports errors of parameters in a long traceback; here each is
one sentence that names the key.
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ValidationError

from vision_zero.config.ablation import AblationConfig
from vision_zero.config.build_pairs import BuildPairsConfig
from vision_zero.config.publish import PublishConfig
from vision_zero.config.renamed import RENAMED
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.suites import EvaluateConfig
from vision_zero.config.tracking import check_installed
from vision_zero.config.warm_start import WarmStartConfig
from vision_zero.config_base import problems, validated
from vision_zero.errors import ConfigError
from vision_zero.recipes.ablation_plan import ArmRun, Contents, plan
from vision_zero.recipes.input_fingerprints import of_recipe
from vision_zero.recipes.nano_limits import notes_on
from vision_zero.recipes.recipe_file import Recipe, read_recipe

ROOTS: dict[str, type[BaseModel]] = {
    "ablation": AblationConfig,
    "build_pairs": BuildPairsConfig,
    "evaluate": EvaluateConfig,
    "publish": PublishConfig,
    "self_play": SelfPlayConfig,
    "warm_start": WarmStartConfig,
}
"""The configuration model of each pipeline, by name."""
_PLACEHOLDER = re.compile(r"\$\{[a-zA-Z0-9_]+\}")
"""Environment variables, which ZenML substitutes after reading the file."""

RUN_KEYS = frozenset(
    "build cache_policy cleanup_hook_source enable_artifact_metadata enable_artifact_visualization enable_cache enable_heartbeat "
    "enable_pipeline_logs enable_step_logs end_hook_source environment execution_mode extra failure_hook_source init_hook_kwargs "
    "init_hook_source model parameters pause_hook_source resume_hook_source retry run_name schedule secrets settings "
    "start_hook_source steps substitutions success_hook_source tags".split()
)
"""Keys that ZenML 0.98 reads at the top of a file; a test compares both sets with ZenML's own models."""
STEP_KEYS = frozenset(
    "cache_policy enable_artifact_metadata enable_artifact_visualization enable_cache enable_step_logs end_hook_source "
    "environment experiment_tracker extra failure_hook_source group heartbeat_healthy_threshold model outputs parameters retry "
    "runtime secrets settings start_hook_source step_operator substitutions success_hook_source".split()
)
"""Keys that ZenML 0.98 reads below a step's name."""


def check_file(path: Path) -> str:
    """Read and check a file, see :func:`check_recipe`."""
    return check_recipe(read_recipe(path))


def check_recipe(recipe: Recipe, pipeline: str | None = None) -> str:
    """Check a recipe.

    Args:
        pipeline: the pipeline that it configures; None: recognised by its settings.

    Returns:
        A sentence that says what it configures, and warnings about data that the policy was not trained for, one per line.

    Raises:
        ConfigError: a key, type or value in it is wrong.
    """
    path = recipe.path
    _check_keys(recipe)
    parameters = recipe.settings.get("parameters")
    if not isinstance(parameters, dict) or "config" not in parameters:
        raise ConfigError(f"{path}: parameters.config is missing: the settings of the run belong there")
    unknown = sorted(map(str, set(parameters) - {"config", "rounds"}))
    if unknown:
        raise ConfigError(f"{path}: parameters.{unknown[0]} is not known; did you mean parameters.config.{unknown[0]}?")
    name = pipeline or _pipeline_of(parameters["config"], path)
    try:
        config = ROOTS[name].model_validate(parameters["config"])
    except ValidationError as error:
        likelier = _pipeline_of(parameters["config"], path, expected=name)
        hint = "" if likelier == name else f" (it looks like a configuration of {likelier}, and was given to {name})"
        raise ConfigError(f"{path}: {problems(error)}{hint}") from error
    if "rounds" in parameters:
        _check_rounds(parameters["rounds"], name, path)
    if isinstance(config, SelfPlayConfig):
        check_installed(config.tracking)
    if isinstance(config, AblationConfig):
        arms = read_arms(config, lambda _: "")  # checking reads no data, and the number of arms does not depend on it
        check_installed(sorted({name for arm in arms for name in arm.config.tracking}))
        what, notes = f"an ablation of {len(arms)} arms and seeds", [note for arm in arms for note in notes_on(arm.config)]
    else:
        what, notes = type(config).__name__.removesuffix("Config"), list(notes_on(config))
    return "\n".join([f"a valid configuration of {what}", *(f"note: {note}" for note in dict.fromkeys(notes))])


def check_before_run(path: Path, pipeline: str) -> Recipe:
    """Read and check a file before ZenML reads it: unknown and duplicate keys, which ZenML accepts silently, are errors.

    A file with ``${VARIABLES}`` is checked as far as possible before ZenML substitutes them.

    Raises:
        ConfigError: as in :func:`read_recipe` and :func:`check_recipe`.
    """
    recipe = read_recipe(path)
    if _PLACEHOLDER.search(str(recipe.settings)):
        _check_keys(recipe)
    else:
        check_recipe(recipe, pipeline)
    return recipe


def _pipeline_of(settings: object, path: Path, expected: str | None = None) -> str:
    """The pipeline that has most of these settings; among several, the expected one, or the one that the file's folder names,
    as in ``configs/``, or else the first that can read them.

    A mapping under ``suites`` is self-play's, under the old name: those of an evaluation are a list.
    """
    given = settings if isinstance(settings, dict) else {}
    keys = {RENAMED["self_play"].get(key, key) if isinstance(value, dict) else key for key, value in given.items()}
    unknown = {name: len(keys - set(root.model_fields)) for name, root in ROOTS.items()}
    best = [name for name in ("self_play", *ROOTS) if unknown[name] == min(unknown.values())]
    named = (expected, path.resolve().parent.name)
    readable = (name for name in best if _is_readable(ROOTS[name], settings))
    return next((name for name in named if name in best), None) or next(readable, best[0])


def _is_readable(root: type[BaseModel], settings: object) -> bool:
    try:
        root.model_validate(settings)
    except ValidationError:
        return False
    return True


def read_self_play(path: Path) -> SelfPlayConfig:
    """The settings of a self-play recipe.

    Raises:
        ConfigError: the file cannot be read, or is another configuration.
    """
    recipe = read_recipe(path)
    check_recipe(recipe)
    return validated(SelfPlayConfig, recipe.config, f"{path} is not a self-play recipe")


def read_ablation(path: Path) -> AblationConfig:
    """The settings of an ablation.

    Raises:
        ConfigError: the file cannot be read, or is another configuration.
    """
    recipe = read_recipe(path)
    check_recipe(recipe, "ablation")
    return AblationConfig.model_validate(recipe.config)


def read_arms(config: AblationConfig, contents: Contents = of_recipe) -> list[ArmRun]:
    """Every arm of an ablation with every seed, built on its recipe; see :func:`vision_zero.recipes.ablation_plan.plan`.

    Raises:
        ConfigError: the recipe cannot be read, or an arm is not a self-play configuration.
    """
    return plan(config, read_recipe(Path(config.recipe)).config, contents)


def _check_rounds(rounds: object, pipeline: str, path: Path) -> None:
    if pipeline != "self_play":
        raise ConfigError(
            f"{path}: parameters.rounds is only for self_play, and this is a configuration of {pipeline}: leave it out"
        )
    if not isinstance(rounds, int) or isinstance(rounds, bool) or rounds < 1:
        raise ConfigError(f"{path}: parameters.rounds must be an integer from 1 on")


def _check_keys(recipe: Recipe) -> None:
    """Refuse unknown keys at the top and below ``steps``, which ZenML would ignore, and a model without a name."""
    path, data = recipe.path, recipe.settings
    unknown = sorted(map(str, set(data) - RUN_KEYS))
    if unknown:
        raise ConfigError(f"{path}: {unknown[0]} is not a key of a pipeline configuration: ZenML would ignore it")
    steps = data.get("steps") or {}
    if not isinstance(steps, dict) or not all(isinstance(settings or {}, dict) for settings in steps.values()):
        raise ConfigError(f"{path}: steps must be a mapping of names of steps to their settings")
    for step, settings in steps.items():
        strange = sorted(map(str, set(settings or {}) - STEP_KEYS))
        if strange:
            raise ConfigError(f"{path}: steps.{step}.{strange[0]} is not a key of a step: ZenML would ignore it")
    model = data.get("model")
    if model is not None and not (isinstance(model, dict) and isinstance(model.get("name"), str) and model["name"]):
        raise ConfigError(f"{path}: model must be a mapping with the model's name, such as model: {{name: vision_zero_nano}}")
