"""Transcripts of played games, with the image pairs of those that a replay shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vision_zero.config.game import SpyImage
from vision_zero.config.rewards import RewardsConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.data.images import empty_image
from vision_zero.data.table import PairTable, joined
from vision_zero.domains.registry import has_scene_graph
from vision_zero.domains.scenes.statements import NO_FACTS
from vision_zero.game.transcript import Transcript


def as_seen(table: PairTable, spy_image: SpyImage) -> PairTable:
    """The pairs with the spy's image in the place of the modified one; nothing is logged as changed where it is another."""
    if spy_image == "modified":
        return table
    pairs = []
    for pair in table.pairs():
        if spy_image == "identical":
            spys, facts = pair.original, pair.original_facts
        else:
            spys, facts = empty_image(pair.original.size), dict(NO_FACTS) if has_scene_graph(pair) else {}
        pairs.append(replace(pair, modified=spys, modified_facts=facts, changes=()))
    splits = table.rows["split"].to_pylist()
    return joined([PairTable.from_pairs([(place, pair)], splits[place]) for place, pair in enumerate(pairs)])


@dataclass(frozen=True)
class PlayedGames:
    """Transcripts; ``pairs`` holds the pairs of the games to show, ``rewards`` the weights that they were scored with."""

    transcripts: tuple[Transcript, ...]
    pairs: PairTable
    rewards: RewardsConfig

    @classmethod
    def of(
        cls, transcripts: Sequence[Transcript], table: PairTable, rewards: RewardsConfig, shown: int, spy_image: SpyImage
    ) -> PlayedGames:
        """All the transcripts, and the pairs of ``shown`` of them, spread evenly over the list: what civilians saw, and as the
        modified image what the spy did."""
        step = max(1, len(transcripts) // shown)
        ids = {transcript.pair_id for transcript in transcripts[::step][:shown]}
        return cls(tuple(transcripts), as_seen(table.only(ids), spy_image), rewards)

    def and_then(self, later: PlayedGames) -> PlayedGames:
        """These games followed by later ones of the same run; the replay shows games of both."""
        return PlayedGames((*self.transcripts, *later.transcripts), joined([self.pairs, later.pairs]), later.rewards)

    def shown(self) -> tuple[list[Transcript], dict[str, ImagePair]]:
        """The games to show, one a pair, and their pairs by id."""
        pairs = {pair.pair_id: pair for pair in self.pairs.pairs()}
        first = {transcript.pair_id: transcript for transcript in reversed(self.transcripts) if transcript.pair_id in pairs}
        order = [transcript for transcript in self.transcripts if first.get(transcript.pair_id) is transcript]
        return order, pairs
