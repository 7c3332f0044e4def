"""The log reader, on lines as QEMU and the plugin write them."""

from __future__ import annotations

from reference_module.emulate.events import DeviceWrite, ExceptionTaken, Origin, Reached, Tick, read_events

_HANDLER, _IDLE = 0x08000100, 0x08001000
_LOG = """
nvic_set_irq_level NVIC external irq 98 level set to 0
memory_region_ops_write cpu -1 mr 0x55 addr 0x40000800 value 0x1 size 4 name 'stm32f2xx_timer'
memory_region_ops_write cpu 0 mr 0x55 addr 0x40023830 value 0x9f size 4 name 'RCC'
@store 080003c4 40023830 4 100
@reach 08001000 150
nvic_set_irq_level NVIC external irq 46 level set to 1
nvic_set_irq_level NVIC external irq 44 level set to 1
Taking exception 5 [IRQ] on CPU 0
...taking pending nonsecure exception 44
...loading from element 44 of non-secure vector table at 0x80000b0
@reach 08000100 200
memory_region_ops_write cpu 0 mr 0x55 addr 0x40000034 value 0xffffffff size 4 name 'stm32f2xx_timer'
@store 08000110 40000034 4 219
nvic_set_irq_level NVIC external irq 46 level set to 1
Taking exception 8 [QEMU v7M exception exit] on CPU 0
Exception return: magic PC fffffffd previous exception 44
...successful exception return
memory_region_ops_write cpu 0 mr 0x55 addr 0xe000ed94 value 0x0 size 4 name 'nvic_sysregs'
Taking exception 4 [Data Abort] on CPU 0
...at fault address 0xe000ed94
...with CFSR.PRECISERR and BFAR 0xe000ed94
...taking pending nonsecure exception 5
Taking exception 8 [QEMU v7M exception exit] on CPU 0
Exception return: magic PC fffffffd previous exception 5
...tailchaining to pending exception
...taking pending nonsecure exception 44
@outside 20000000 300
"""


def _events() -> list[object]:
    return list(read_events(_LOG.splitlines(), handlers=frozenset({_HANDLER}), confined=frozenset({_IDLE})))


def test_ticks_and_places() -> None:
    events = _events()
    assert [event for event in events if isinstance(event, Tick)] == [Tick(number=1, milliseconds=1)]
    reached = [event for event in events if isinstance(event, Reached)]
    assert [event.address for event in reached] == [_IDLE, _HANDLER, 0x20000000]
    assert [event.outside_flash for event in reached] == [False, False, True]


def test_stores_and_where_they_came_from() -> None:
    boot, gate, refused = (event for event in _events() if isinstance(event, DeviceWrite))
    assert (boot.address, boot.origin, boot.tick, boot.exception, boot.since_entry) == (
        0x40023830,
        Origin.BOOT,
        0,
        None,
        None,
    )
    assert (gate.value, gate.width, gate.program_counter) == (0xFFFFFFFF, 4, 0x08000110)
    assert (gate.origin, gate.tick, gate.exception, gate.since_entry) == (Origin.HANDLER, 1, 44, 19)
    assert (refused.refused, refused.program_counter, refused.origin) == (True, None, Origin.CONFINED)
    assert refused.milliseconds_in_period == 1


def test_exceptions_and_what_they_interrupted() -> None:
    taken = [event for event in _events() if isinstance(event, ExceptionTaken)]
    assert [(event.number, event.origin) for event in taken] == [
        (44, Origin.CONFINED),
        (5, Origin.CONFINED),
        (44, Origin.HANDLER),
    ]
    assert "with CFSR.PRECISERR and BFAR 0xe000ed94" in taken[1].details
