"""The command line, ``vision-zero``: one module a command; :mod:`vision_zero.cli.app` puts them together."""

from vision_zero.cli.app import main

__all__ = ["main"]
