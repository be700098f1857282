"""Transcripts of played games, with the image pairs of those that a replay shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision_zero.config.rewards import RewardsConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.data.table import PairTable, joined
from vision_zero.game.transcript import Transcript


@dataclass(frozen=True)
class PlayedGames:
    """Transcripts; ``pairs`` holds the pairs of the games to show, ``rewards`` the weights that they were scored with."""

    transcripts: tuple[Transcript, ...]
    pairs: PairTable
    rewards: RewardsConfig

    @classmethod
    def of(cls, transcripts: Sequence[Transcript], table: PairTable, rewards: RewardsConfig, shown: int) -> PlayedGames:
        """All the transcripts, and the pairs of ``shown`` of them, spread evenly over the list."""
        step = max(1, len(transcripts) // shown)
        ids = {transcript.pair_id for transcript in transcripts[::step][:shown]}
        return cls(tuple(transcripts), table.only(ids), rewards)

    def and_then(self, later: PlayedGames) -> PlayedGames:
        """These games followed by later ones of the same run; the replay shows games of both."""
        return PlayedGames((*self.transcripts, *later.transcripts), joined([self.pairs, later.pairs]), later.rewards)

    def shown(self) -> tuple[list[Transcript], dict[str, ImagePair]]:
        """The games to show, one a pair, and their pairs by id."""
        pairs = {pair.pair_id: pair for pair in self.pairs.pairs()}
        first = {transcript.pair_id: transcript for transcript in reversed(self.transcripts) if transcript.pair_id in pairs}
        order = [transcript for transcript in self.transcripts if first.get(transcript.pair_id) is transcript]
        return order, pairs
