"""Steps that publish the policy of a model version."""

from typing import Annotated

from zenml import log_metadata, step

from vision_zero.atomic_dir import dir_of_process
from vision_zero.config.publish import PublishConfig
from vision_zero.policy.folder import BaseFolder


@step(enable_cache=False)
def build_folder(config: PublishConfig) -> Annotated[BaseFolder, "published_policy"]:
    """Load policy, state and scores of a model version, and write the folder to publish, with its model card."""
    from steps.model_registry import named_version, promoted_artifact
    from steps.promotion import POLICY, STATE
    from vision_zero.policy.loading import base_of
    from vision_zero.publishing.build import build, published_revision
    from vision_zero.publishing.card import adapter_rank, published_card

    version = named_version(config.model, config.version)
    policy, state, verdict, scores, suites = (
        promoted_artifact(version, name) for name in (POLICY, STATE, "verdict", "scores", "suites")
    )
    base = "the untrained base" if policy.path is None else config.base or base_of(policy.path)
    name = f"{version.model.name} {version.number}"
    card = published_card(
        config,
        base=base,
        revision=None if policy.path is None else published_revision(config, policy.path),
        is_full=policy.is_full,
        rank=None if policy.path is None else adapter_rank(policy.path),
        name=name,
        state=state,
        verdict=verdict,
        scores=scores,
        suites=suites,
    )
    return build(config, policy, card, dir_of_process("publish"))


@step(enable_cache=False)
def deliver_folder(config: PublishConfig, folder: BaseFolder) -> Annotated[str, "address"]:
    """Publish the folder to the target."""
    import click

    from vision_zero.publishing.targets import deliver

    done = deliver(folder, config)
    click.echo(f"published: {done.address}")
    for what, names in (("replaced", done.replaced), ("left alone, since it was not published there", done.kept)):
        if names:
            click.echo(f"{what}: {', '.join(names)}")
    log_metadata({"published": done.address})
    return done.address
