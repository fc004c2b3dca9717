"""`python -m kyotsu` is `kyotsu`."""

from kyotsu.cli import main

main()
