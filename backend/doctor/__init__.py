"""What an operator wants to know before a daemon is trusted with money; changes nothing."""
