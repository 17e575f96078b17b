"""Composition: builds the parts of a process, starts them, stops them in reverse."""
