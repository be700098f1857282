"""Steps that make the embedded policy."""

from pathlib import Path
from typing import Annotated

from zenml import log_metadata, step

from vision_zero.config.warm_start import WarmStartConfig
from vision_zero.policy.folder import BaseFolder
from vision_zero.warm_start.exam_scores import Exam


@step(enable_cache=False)
def draw_pictures(config: WarmStartConfig) -> Annotated[str, "pictures"]:
    """Render the images of all training examples into files; existing files are kept."""
    import click

    from vision_zero.warm_start.curriculum import generate_files

    folder = Path(config.folder) / "pictures"
    generate_files(config, folder, click.echo)
    return str(folder)


@step(enable_cache=False)
def fine_tune(config: WarmStartConfig, images: str) -> Annotated[BaseFolder, "fine_tuned_policy"]:
    """Train the policy by SFT, resuming from the last checkpoint after an interruption."""
    import click

    from vision_zero.warm_start.build import build_policy

    return BaseFolder(build_policy(config, Path(images), Path(config.folder) / "fine_tuning", click.echo))


@step(enable_cache=False)
def examine_policy(config: WarmStartConfig, policy: BaseFolder) -> Annotated[Exam, "exam"]:
    """Evaluate the policy on held-out images."""
    from vision_zero.config.nano_defaults import NANO_SAMPLING
    from vision_zero.config.policy import PolicyConfig
    from vision_zero.policy.loading import load_policy
    from vision_zero.warm_start.exam import examine

    exam = examine(load_policy(PolicyConfig(base=str(policy.path), sampling=NANO_SAMPLING), None), config)
    log_metadata({name: score.text() for name, score in exam.scores.items()})
    return exam


@step(enable_cache=False)
def export_policy(config: WarmStartConfig, policy: BaseFolder, exam: Exam) -> Annotated[str, "folder"]:
    """Write the policy's folder, with its model card."""
    import click

    from vision_zero.warm_start.build import export

    target = Path(config.folder) / "nano"
    export(policy.path, target, config, exam)
    click.echo(f"the policy is in {target}; to ship it, copy it to vision_zero/policy/nano/weights")
    return str(target)
