"""Measured soundness: the instruction set model and the abstract machine against machines that never saw our code.

One case is one concrete state through one instruction, one straight program or one loop. It is unsound when Unicorn or
p-code ends otherwise than the model, or when the concrete end lies outside what the abstract machine foresaw.
`python -m tests.soundness --help` runs a campaign.
"""
