"""``python -m vision_zero.cli``: the command line where its script is not on the path."""

from vision_zero.cli.app import main

main()
