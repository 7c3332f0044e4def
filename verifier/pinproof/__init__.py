"""Pinproof: proves from a microcontroller's binary that a sensor cannot spy."""

__version__ = "0.1.0"
