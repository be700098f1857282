"""Games: transcripts as parquet, the pairs of the games in the replay, and the replay as preview."""

from __future__ import annotations

from typing import Any, ClassVar

from zenml.enums import VisualizationType

from materializers.files import FileMaterializer, scratch
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
        with scratch() as folder:
            write_transcripts(data.transcripts, folder / TRANSCRIPTS)
            data.pairs.write(folder / PAIRS)
            for name in (TRANSCRIPTS, PAIRS):
                self._put(folder / name, name)
        self._write_text(REWARDS, data.rewards.model_dump_json())

    def load(self, data_type: type[Any]) -> PlayedGames:
        with scratch() as folder:
            for name in (TRANSCRIPTS, PAIRS):
                self._get(name, folder / name)
            rewards = RewardsConfig.model_validate_json(self._read_text(REWARDS))
            return PlayedGames(read_transcripts(folder / TRANSCRIPTS), PairTable.read(folder / PAIRS), rewards)

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
