"""Chain → database, safe against reorgs. The one reader that trainer and validator share."""
