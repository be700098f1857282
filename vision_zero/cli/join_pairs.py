"""``vision-zero join-pairs``: one folder and one manifest from the parts that separate runs of build_pairs have built."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("join-pairs")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write; default: FOLDER/joined. An older one is replaced.")
def join_pairs(folder: Path, out: Path | None) -> None:
    """Join the parts in FOLDER, the ``folder`` of a build_pairs recipe with ``parts``."""
    from vision_zero.domains.join_parts import MANIFEST, join_parts

    target = out or folder / "joined"
    manifest = join_parts(folder, target)
    splits = ", ".join(f"{count} {split}" for split, count in manifest.splits.items())
    click.echo(f"{manifest.passed} of {manifest.checked} pairs of {manifest.parts} parts passed ({splits}): {target / 'pairs'}")
    for reason, count in manifest.reasons.items():
        click.echo(f"quarantined {count}: {reason}")
    click.echo(f"{len(manifest.files)} files in {target / MANIFEST}")
