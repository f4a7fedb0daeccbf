"""The command line: nouns, then verbs. Reads options, calls the layers below, and prints."""
