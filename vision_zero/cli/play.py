"""``vision-zero play``: plays games outside a pipeline."""

from __future__ import annotations

from pathlib import Path

from vision_zero.config.game import GameConfig
from vision_zero.config.nano_defaults import NANO_GAME, NANO_SAMPLING
from vision_zero.config.policy import NANO, PolicyConfig, SamplingConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.domains.registry import domain_of
from vision_zero.errors import PolicyError
from vision_zero.game.engine import deal_all, play
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import outcome
from vision_zero.policy.loading import base_of, is_trained, load_policy
from vision_zero.policy.policy import Policy
from vision_zero.randomness import Seed
from vision_zero.report.game_figure import draw_game
from vision_zero.report.render_pairs import read_folder
from vision_zero.report.replay import replay_page


def play_games(out: Path, pairs_folder: Path, policy: str, games: int, seed: int, image: Path | None = None) -> int:
    """Play games on a folder's pairs, repeating them if they are too few, and write the replay.

    Args:
        image: file for an image of the first game in which the spy is caught, else of the first game.

    Returns:
        Number of games in which the spy was caught.

    Raises:
        PairsError: the folder has no pairs.
        PolicyError: the policy cannot be loaded, or the replay cannot be written.
    """
    pairs = read_folder(pairs_folder)
    players, config = _players(policy)
    if not all(domain_of(pair.domain).is_edited for pair in pairs):
        config = config.model_copy(update={"spy_image": "blank"})
    game = WhoIsTheSpy(config)
    dealt = [pairs[number % len(pairs)] for number in range(games)]
    states = play(game, deal_all(game, dealt, Seed(seed)), players, Seed(seed))
    transcripts = [state.transcript for state in states]
    page = replay_page(f"{games} games by {policy}", transcripts, {pair.pair_id: pair for pair in pairs}, RewardsConfig())
    try:
        out.write_text(page, encoding="utf-8")
        if image is not None:
            shown = next((number for number, game in enumerate(transcripts) if outcome(game).is_spy_caught), 0)
            draw_game(transcripts[shown], dealt[shown], RewardsConfig()).savefig(image)
    except (OSError, ValueError) as error:  # ValueError: matplotlib does not know this image format
        raise PolicyError(f"{error}: give paths in a folder that exists and can be written") from error
    return sum(outcome(transcript).is_spy_caught for transcript in transcripts)


def _players(policy: str) -> tuple[Policy, GameConfig]:
    """Settings of a policy: a trained folder with its recorded base; anything else is a base."""
    folder = Path(policy) if is_trained(Path(policy)) else None
    base = policy if folder is None else base_of(folder)
    is_nano = base == NANO
    sampling = NANO_SAMPLING if is_nano else SamplingConfig()
    return load_policy(PolicyConfig(base=base, sampling=sampling), folder), NANO_GAME if is_nano else GameConfig()
