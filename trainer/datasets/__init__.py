"""Private datasets from an owner's file to the commitments of a hatch."""
