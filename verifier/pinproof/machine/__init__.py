"""The abstract machine: executes privileged code from reset over sets of values, and says what it could not bound."""
