"""Operations: figures and alarms for whoever runs the daemon."""
