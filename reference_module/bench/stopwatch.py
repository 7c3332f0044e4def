"""What a verification costs, as a ratio: this machine's speed is nobody else's."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.verify import IMPORTS_COMMAND, VERIFY, measure_process
from reference_module.bench.numbers import Number, named
from reference_module.products import Product

_ROUNDS = 3


def of_verification(product: Product) -> Iterator[Number]:
    """Processor time of one verification, in imports of the verifier's dependencies; the best of some rounds."""
    command = [*VERIFY, str(product.image), "--module", str(product.declaration)]
    verify = min(measure_process(command)[0] for _ in range(_ROUNDS))
    imports = min(measure_process(IMPORTS_COMMAND)[0] for _ in range(_ROUNDS))
    yield named(product, "verify_time", f"{verify / imports:.1f}", "imports of the verifier's dependencies")
