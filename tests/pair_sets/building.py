"""What the steps of ``build_pairs`` do, without ZenML."""

from __future__ import annotations

import shutil
from pathlib import Path

from vision_zero.config.build_pairs import BuildPairsConfig
from vision_zero.data.shards import divide
from vision_zero.pair_sets.parts import finish_part, make_pairs, part_folder
from vision_zero.report.gallery import write_files
from vision_zero.validation.expectations import judge
from vision_zero.validation.quality import identities
from vision_zero.validation.verdict import Verdict


def build(config: BuildPairsConfig, folder: Path | None = None) -> Verdict:
    """Build the pairs of a configuration, or of its part."""
    folder = folder or part_folder(config)
    made = make_pairs(config, folder / "made")
    verdict = judge(made, config)
    failing = {entry.pair_id for entry in verdict.quarantined}
    pairs, quarantined = divide(made, failing, folder / "pairs", folder / "quarantined", config.pairs_per_file)
    write_files(folder, pairs, quarantined, verdict, keeps_made=config.parts > 1)
    if config.parts > 1:
        finish_part(config, folder, verdict, identities([pairs, quarantined]))
        shutil.rmtree(folder / "made")
    return verdict
