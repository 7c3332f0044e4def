"""Figures of the modules, drawn from their images and from runs in the emulator.

python -m reference_module.figures [--check] [--image-only]
"""
