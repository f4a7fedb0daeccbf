"""``python -m chainbeasts.backend.cli`` is ``chainbeasts``."""

from chainbeasts.backend.cli.main import main

main()
