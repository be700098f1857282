"""``python -m vision_zero.cli``: the command line without its script on the path."""

from vision_zero.cli.app import main

main()
