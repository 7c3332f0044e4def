"""Runs the module's firmware in QEMU: frames put in its way (`periods`), or everything that it does in a log."""
