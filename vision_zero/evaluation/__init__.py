"""Measuring a policy: fixed held-out games, questions with known answers, and the frozen base beside every number."""
