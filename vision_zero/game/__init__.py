"""The game itself: rules, prompts, parsing, and the engine that plays many tables at once. Imports no policy."""
