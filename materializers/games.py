"""Games: transcripts as parquet, the pairs of the games in the replay, and the replay as preview."""

from __future__ import annotations

from typing import Any, ClassVar

from zenml.enums import VisualizationType

from materializers.files import FileMaterializer
from materializers.pairs import table_hash
from vision_zero.config.rewards import RewardsConfig
from vision_zero.data.table import PairTable
from vision_zero.fingerprints import digest
from vision_zero.game.played_games import PlayedGames
from vision_zero.game.transcript import vote_rates
from vision_zero.game.transcript_files import read_transcripts, write_transcripts
from vision_zero.report.replay import replay_page
from vision_zero.training.metrics import game_metrics

TRANSCRIPTS, PAIRS, REWARDS = "transcripts.parquet", "shown_pairs.parquet", "rewards.json"


class PlayedGamesMaterializer(FileMaterializer):
    """Transcripts can be read by any parquet reader."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (PlayedGames,)
    NEEDED: ClassVar[tuple[str, ...]] = (TRANSCRIPTS, PAIRS, REWARDS)

    def save(self, data: PlayedGames) -> None:
        self._write_file(TRANSCRIPTS, lambda path: write_transcripts(data.transcripts, path))
        self._write_file(PAIRS, data.pairs.write)
        self._write_text(REWARDS, data.rewards.model_dump_json())

    def load(self, data_type: type[Any]) -> PlayedGames:
        transcripts = self._read_file(TRANSCRIPTS, read_transcripts)
        pairs = self._read_file(PAIRS, PairTable.read)
        return PlayedGames(transcripts, pairs, self._parsed(REWARDS, RewardsConfig.model_validate_json))

    def save_visualizations(self, data: PlayedGames) -> dict[str, VisualizationType]:
        games, pairs = data.shown()
        return self._page("replay.html", replay_page("Replay", games, pairs, data.rewards))

    def extract_metadata(self, data: PlayedGames) -> dict[str, Any]:
        rates = vote_rates(data.transcripts)
        return {
            "games": len(data.transcripts),
            "votes": {"accuracy": rates.accuracy, "abstention": rates.abstention, "unreadable": rates.unreadable},
            "measures": game_metrics(data.transcripts, data.rewards),
        }

    def compute_content_hash(self, data: PlayedGames) -> str:
        transcripts = (repr(transcript) for transcript in data.transcripts)
        return digest(*transcripts, table_hash(data.pairs), data.rewards.model_dump_json())
