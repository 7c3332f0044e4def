"""What the modules take and how well they do, in numbers, measured on the spot.

    python -m reference_module.bench [--labels FILE --photos DIR] [--write-readme]
"""
