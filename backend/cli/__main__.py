"""``python -m backend.cli`` is ``chainbeasts``."""

from backend.cli.main import main

main()
