"""Wrong windows on purpose, so that everybody can see validators at work. Local chains only."""
