"""Plays a video to the module in the emulator, and shows what it answers.

python -m reference_module.demo [--frames N] [--window 1..4] [--video FILE]
"""
