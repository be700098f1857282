"""Suites that need no network: procedural ones on images that no run ever trains on, and easy-VQA from its package."""
