"""The closed words of the instruction set: operations, conditions, shifts, special registers (DDI 0403)."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Operation(StrEnum):
    """Instruction names of the manual, chapter A7.7. Forms that differ only in operands share a name."""

    ADC = "adc"
    ADD = "add"
    ADR = "adr"
    AND = "and"
    ASR = "asr"
    B = "b"
    BFC = "bfc"
    BFI = "bfi"
    BIC = "bic"
    BKPT = "bkpt"
    BL = "bl"
    BLX = "blx"
    BX = "bx"
    CBNZ = "cbnz"
    CBZ = "cbz"
    CLZ = "clz"
    CMN = "cmn"
    CMP = "cmp"
    CPS = "cps"
    DMB = "dmb"
    DSB = "dsb"
    EOR = "eor"
    ISB = "isb"
    IT = "it"
    LDM = "ldm"
    LDR = "ldr"
    LDRB = "ldrb"
    LDRBT = "ldrbt"
    LDRD = "ldrd"
    LDRH = "ldrh"
    LDRHT = "ldrht"
    LDRSB = "ldrsb"
    LDRSBT = "ldrsbt"
    LDRSH = "ldrsh"
    LDRSHT = "ldrsht"
    LDRT = "ldrt"
    LSL = "lsl"
    LSR = "lsr"
    MLA = "mla"
    MLS = "mls"
    MOV = "mov"
    MOVT = "movt"
    MRS = "mrs"
    MSR = "msr"
    MUL = "mul"
    MVN = "mvn"
    NOP = "nop"
    ORN = "orn"
    ORR = "orr"
    POP = "pop"
    PUSH = "push"
    RBIT = "rbit"
    REV = "rev"
    REV16 = "rev16"
    REVSH = "revsh"
    ROR = "ror"
    RRX = "rrx"
    RSB = "rsb"
    SBC = "sbc"
    SBFX = "sbfx"
    SDIV = "sdiv"
    SEV = "sev"
    SMLAL = "smlal"
    SMULBB = "smulbb"
    SMULBT = "smulbt"
    SMULL = "smull"
    SMULTB = "smultb"
    SMULTT = "smultt"
    STM = "stm"
    STR = "str"
    STRB = "strb"
    STRBT = "strbt"
    STRD = "strd"
    STRH = "strh"
    STRHT = "strht"
    STRT = "strt"
    SUB = "sub"
    SVC = "svc"
    SXTAB = "sxtab"
    SXTAH = "sxtah"
    SXTB = "sxtb"
    SXTH = "sxth"
    TBB = "tbb"
    TBH = "tbh"
    TEQ = "teq"
    TST = "tst"
    UBFX = "ubfx"
    UDF = "udf"
    UDIV = "udiv"
    UMLAL = "umlal"
    UMULL = "umull"
    UXTAB = "uxtab"
    UXTAH = "uxtah"
    UXTB = "uxtb"
    UXTH = "uxth"
    WFE = "wfe"
    WFI = "wfi"
    YIELD = "yield"


class Condition(IntEnum):
    """Condition field, DDI 0403 A7.3."""

    EQ = 0
    NE = 1
    CS = 2
    CC = 3
    MI = 4
    PL = 5
    VS = 6
    VC = 7
    HI = 8
    LS = 9
    GE = 10
    LT = 11
    GT = 12
    LE = 13
    AL = 14

    @property
    def opposite(self) -> Condition:
        """The condition that holds exactly when this one does not. AL has none: ValueError."""
        if self is Condition.AL:
            raise ValueError("AL has no opposite")
        return Condition(self ^ 1)


class Shift(StrEnum):
    """How a register operand is shifted, DDI 0403 A7.4.2."""

    LSL = "lsl"
    LSR = "lsr"
    ASR = "asr"
    ROR = "ror"
    RRX = "rrx"


class SpecialRegister(IntEnum):
    """SYSm numbers of MRS and MSR, DDI 0403 B5.1.1."""

    APSR = 0
    IAPSR = 1
    EAPSR = 2
    XPSR = 3
    IPSR = 5
    EPSR = 6
    IEPSR = 7
    MSP = 8
    PSP = 9
    PRIMASK = 16
    BASEPRI = 17
    BASEPRI_MAX = 18
    FAULTMASK = 19
    CONTROL = 20
