"""The module's firmware, and the tools that build and run it."""
