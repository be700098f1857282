"""Processes that start at once: forks of an interpreter that has torch, transformers and ZenML imported already.

A command line that is tested in a process of its own spends seconds on imports of other people's packages, and so does each of
its processes. :func:`tests.preloaded.interpreter.start` makes ``python``, ``zenml`` and ``vision-zero`` commands that ask a
server for a fork instead: it has its own process, arguments, environment, folder, files, signals and exit status, and imports
our code afresh. What is said while those packages are imported is not seen; ``make run`` in ``tests/test_commands.py``, one test
of ``tests/cli/test_app.py`` and others that look at imports start real interpreters.
"""
