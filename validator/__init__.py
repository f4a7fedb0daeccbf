"""For validators: replay, the daemon, disputes."""
