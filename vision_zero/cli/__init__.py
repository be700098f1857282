"""The command line, ``vision-zero``: one module per command; :mod:`vision_zero.cli.app` registers them."""

from vision_zero.cli.app import main

__all__ = ["main"]
