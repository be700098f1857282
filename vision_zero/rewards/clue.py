r"""The clue stage's reward (arXiv 2509.25541, equation of the self-play reward), zero-sum in every game:

    r_s = -β (v_s - v̄)        r_j = (β / n_c) (v_s - v̄) - λ (v_j - v̄)

Not in the paper: with ``clue_unreadable`` = p, u unreadable clues cost a seat p u, and the rewards no longer sum to zero.

v_s are the votes for the spy, v_j those for civilian j, v̄ the civilians' mean. N/A and unreadable votes count for no seat.
Every clue of a player carries that player's reward of the game.
"""

from __future__ import annotations

from collections import Counter

from vision_zero.config.rewards import RewardsConfig
from vision_zero.game.transcript import Transcript


def clue_rewards(transcript: Transcript, config: RewardsConfig) -> dict[int, dict[str, float]]:
    """Each seat's reward by term; a seat's reward is the sum of its terms: :func:`clue_totals`.

    ``role`` is the β term (spy against civilians), ``self`` the λ term (among civilians), and ``unreadable`` the penalty for
    unreadable clues, present only if it is configured.
    """
    votes = transcript.votes_for()
    civilians = transcript.civilians
    mean = sum(votes[seat] for seat in civilians) / len(civilians)
    margin = config.beta * (votes[transcript.spy] - mean)
    rewards = {seat: {"role": margin / len(civilians), "self": -config.lam * (votes[seat] - mean)} for seat in civilians}
    rewards[transcript.spy] = {"role": -margin, "self": 0.0}
    if config.clue_unreadable:
        unread = Counter(move.seat for move in transcript.clue_moves if move.unreadable)
        rewards = {seat: {**terms, "unreadable": -config.clue_unreadable * unread[seat]} for seat, terms in rewards.items()}
    return rewards


def clue_totals(transcript: Transcript, config: RewardsConfig) -> dict[int, float]:
    """Each seat's reward of a game."""
    return {seat: sum(terms.values()) for seat, terms in clue_rewards(transcript, config).items()}
