"""Season profiles as data: the first season of a deployment, and the timelock's delay."""
