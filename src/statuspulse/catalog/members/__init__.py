"""What callers may send of each resource, as strict models."""
