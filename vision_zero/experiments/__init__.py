"""Ablations and exams over several seeds: arms compared, and the results that a document shows."""
