"""Steps that build the pairs of one domain, with memory that does not grow with their number."""

from pathlib import Path
from typing import Annotated

from zenml import get_step_context, log_metadata, step

from steps.pairs import summary
from vision_zero.config.build_pairs import BuildPairsConfig
from vision_zero.data.shards import PairShards
from vision_zero.validation.verdict import Verdict


@step
def make(config: BuildPairsConfig) -> Annotated[PairShards, "made"]:
    """Render, edit or import the pairs."""
    from vision_zero.pair_sets.parts import make_pairs

    return make_pairs(config, _folder(config) / "made")


@step
def judge_and_divide(
    config: BuildPairsConfig, made: PairShards
) -> tuple[Annotated[PairShards, "pairs"], Annotated[PairShards, "quarantined"], Annotated[Verdict, "verdict"]]:
    """Validate all pairs and quarantine those that fail."""
    from vision_zero.data.shards import divide
    from vision_zero.validation.expectations import judge

    verdict = judge(made, config)
    failing = {entry.pair_id for entry in verdict.quarantined}
    folder = _folder(config)
    pairs, quarantined = divide(made, failing, folder / "pairs", folder / "quarantined", config.pairs_per_file)
    log_metadata(summary(verdict))
    return pairs, quarantined, verdict


@step
def write_files(
    config: BuildPairsConfig, pairs: PairShards, quarantined: PairShards, verdict: Verdict
) -> Annotated[str, "folder"]:
    """Write the pairs, the quarantined ones, the verdict and a gallery as plain files."""
    import shutil

    import click

    from vision_zero.pair_sets.parts import finish_part
    from vision_zero.report.gallery import write_files as write
    from vision_zero.validation.quality import identities

    folder = _folder(config)
    page = write(folder, pairs, quarantined, verdict, keeps_made=config.parts > 1)
    if config.parts > 1:
        # Only when this is written need nothing be made again after a kill.
        finish_part(config, folder, verdict, identities([pairs, quarantined]))
        shutil.rmtree(folder / "made", ignore_errors=True)
    for line in (line for source in verdict.sources for line in source.lines()):
        click.echo(line)
    click.echo(f"{verdict.passed} of {verdict.checked} pairs passed: {folder / 'pairs'}; open {page}")
    return str(folder)


def _folder(config: BuildPairsConfig) -> Path:
    if config.parts > 1:
        from vision_zero.pair_sets.parts import part_folder

        return part_folder(config)
    return Path(config.folder) / get_step_context().pipeline_run.name
