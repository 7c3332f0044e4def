"""Runs the module's firmware in QEMU: with frames put in its way (`periods`), or with everything that it does in a log."""
