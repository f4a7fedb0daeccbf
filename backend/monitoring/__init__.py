"""What runs look like from outside: a daemon's health and figures, a trainer's messages."""
