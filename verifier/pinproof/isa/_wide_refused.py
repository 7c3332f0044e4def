"""32-bit instructions that exist on the processor and that the model refuses by name: DSP, saturation, coprocessors."""

from __future__ import annotations

from pinproof.isa._pattern import Fields, Row
from pinproof.isa.instruction import Instruction, Operation


def _refuse(pattern: str, name: str) -> Row:
    def build(f: Fields, op: Operation) -> Instruction:
        return f.unmodelled(name)

    # The operation of a refused row is never used.
    return Row(pattern, Operation.UDF, build)


ROWS: tuple[Row, ...] = (
    _refuse("1110101 0110 x nnnn x iii dddd ii tt mmmm", "PKHBT, PKHTB"),
    _refuse("11110 x 1 10000 nnnn 0 iii dddd ii x wwwww", "SSAT"),
    _refuse("11110 x 1 10010 nnnn 0 iii dddd ii x wwwww", "SSAT, SSAT16"),
    _refuse("11110 x 1 11000 nnnn 0 iii dddd ii x wwwww", "USAT"),
    _refuse("11110 x 1 11010 nnnn 0 iii dddd ii x wwwww", "USAT, USAT16"),
    _refuse("11111010 001 x nnnn 1111 dddd 1 x rr mmmm", "SXTAB16, UXTAB16"),
    _refuse("11111010 1xxx nnnn 1111 dddd 0 x yy mmmm", "parallel addition or subtraction"),
    _refuse("11111010 1000 nnnn 1111 dddd 10 yy mmmm", "QADD, QDADD, QSUB, QDSUB"),
    _refuse("11111010 1010 nnnn 1111 dddd 1000 mmmm", "SEL"),
    _refuse("11111011 0001 nnnn aaaa dddd 00 yy mmmm", "SMLA on halfwords"),
    _refuse("11111011 0010 nnnn aaaa dddd 000 y mmmm", "SMLAD, SMUAD"),
    _refuse("11111011 0011 nnnn aaaa dddd 000 y mmmm", "SMLAW, SMULW"),
    _refuse("11111011 0100 nnnn aaaa dddd 000 y mmmm", "SMLSD, SMUSD"),
    _refuse("11111011 0101 nnnn aaaa dddd 000 y mmmm", "SMMLA, SMMUL"),
    _refuse("11111011 0110 nnnn aaaa dddd 000 y mmmm", "SMMLS"),
    _refuse("11111011 0111 nnnn aaaa dddd 0000 mmmm", "USAD8, USADA8"),
    _refuse("11111011 1100 nnnn llll hhhh 10 yy mmmm", "SMLAL on halfwords"),
    _refuse("11111011 1100 nnnn llll hhhh 110 y mmmm", "SMLALD"),
    _refuse("11111011 1101 nnnn llll hhhh 110 y mmmm", "SMLSLD"),
    _refuse("11111011 1110 nnnn llll hhhh 0110 mmmm", "UMAAL"),
    _refuse("111 x 11 xxxxxxxxxx yyyy 101 z zzzzzzzz", "a floating-point instruction"),
    _refuse("111 x 11 xxxxxxxxxx yyyy zzzz zzzzzzzz", "a coprocessor instruction"),
)
