"""Use cases on configuration: monitors, policies, channels, regions, tokens."""
