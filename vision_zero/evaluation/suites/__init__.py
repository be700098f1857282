"""Suites that need no network: procedural ones on pictures that no run ever trains on, and easy-VQA from its package."""
