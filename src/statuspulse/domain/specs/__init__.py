"""What a check of each kind has to do; one kind a file, read from a normalised configuration."""
