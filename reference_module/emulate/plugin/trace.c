/*
 * A QEMU plugin that says where each device store came from, and when.
 *
 * QEMU's own trace of device writes has address, value and width, but neither program counter nor time. Both come from here, in the
 * same log, one line after the write that they belong to:
 *
 *     @store PC ADDRESS WIDTH INSTRUCTIONS     a store above memory that was carried out; a refused one has no such line
 *     @reach PC INSTRUCTIONS                   an address given as reach=0x... is about to be executed, or for the first time
 *                                              one given as once=0x...
 *     @outside PC INSTRUCTIONS                 code above flash is about to be executed for the first time
 *     @read PC ADDRESS INSTRUCTIONS            a load from, or a store to, a word in memory given as watch=0x...
 *     @written PC ADDRESS INSTRUCTIONS
 *
 * INSTRUCTIONS counts from reset; under -icount it is virtual time but for the times in which the clock was warped.
 * Declarations are of the plugin interface, version 1 (QEMU 7.0 to 8.2), which distributions ship without a header.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct translation;
struct instruction;
enum { kAddU64 = 0, kNoRegisters = 0, kStores = 2, kLoadsAndStores = 3 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*call)(uint64_t id, struct translation *block));
extern size_t qemu_plugin_tb_n_insns(const struct translation *block);
extern struct instruction *qemu_plugin_tb_get_insn(const struct translation *block, size_t index);
extern uint64_t qemu_plugin_insn_vaddr(const struct instruction *instruction);
extern void qemu_plugin_register_vcpu_insn_exec_cb(
    struct instruction *instruction, void (*call)(unsigned int cpu, void *data), int registers, void *data);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct instruction *instruction, int operation, void *target, uint64_t amount);
extern void qemu_plugin_register_vcpu_mem_cb(
    struct instruction *instruction, void (*call)(unsigned int cpu, uint32_t access, uint64_t address, void *data), int registers,
    int kind, void *data);
extern unsigned int qemu_plugin_mem_size_shift(uint32_t access);
extern bool qemu_plugin_mem_is_store(uint32_t access);
extern void qemu_plugin_outs(const char *text);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id, const void *info, int count, char **options);

enum { kReachedLimit = 128, kWatchedLimit = 8, kLineLimit = 96 };

static const uint32_t kFlashEnd = 0x08080000u;
static const uint64_t kMemoryEnd = 0x20020000u; /* of QEMU's machine, which has 128 KB */

static uint64_t executed;
static struct {
    uint32_t address;
    bool once;
    bool seen;
} reached[kReachedLimit];
static int reached_count;
static uint64_t watched[kWatchedLimit];
static int watched_count;

static void say(const char *kind, uint32_t address)
{
    char line[kLineLimit];

    snprintf(line, sizeof line, "@%s %08x %llu\n", kind, (unsigned int)address, (unsigned long long)executed);
    qemu_plugin_outs(line);
}

static void on_access(unsigned int cpu, uint32_t access, uint64_t address, void *data)
{
    char line[kLineLimit];

    (void)cpu;
    for (int number = 0; number < watched_count; number++) {
        if (address == watched[number]) {
            snprintf(line, sizeof line, "@%s %08x %08x %llu\n", qemu_plugin_mem_is_store(access) ? "written" : "read",
                     (unsigned int)(uintptr_t)data, (unsigned int)address, (unsigned long long)executed);
            qemu_plugin_outs(line);
        }
    }
    if (address < kMemoryEnd || !qemu_plugin_mem_is_store(access)) {
        return;
    }
    snprintf(line, sizeof line, "@store %08x %08x %u %llu\n", (unsigned int)(uintptr_t)data, (unsigned int)address,
             1u << qemu_plugin_mem_size_shift(access), (unsigned long long)executed);
    qemu_plugin_outs(line);
}

static void on_reached(unsigned int cpu, void *data)
{
    const int number = (int)(intptr_t)data;

    (void)cpu;
    if (!reached[number].once || !reached[number].seen) {
        say("reach", reached[number].address);
    }
    reached[number].seen = true;
}

static void on_translated(uint64_t id, struct translation *block)
{
    (void)id;
    const int accesses = watched_count == 0 ? kStores : kLoadsAndStores;
    const size_t count = qemu_plugin_tb_n_insns(block);
    if (count != 0 && qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, 0)) >= kFlashEnd) {
        say("outside", (uint32_t)qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, 0)));
    }
    for (size_t index = 0; index < count; index++) {
        struct instruction *instruction = qemu_plugin_tb_get_insn(block, index);
        const uint32_t address = (uint32_t)qemu_plugin_insn_vaddr(instruction);
        void *data = (void *)(uintptr_t)address;

        qemu_plugin_register_vcpu_insn_exec_inline(instruction, kAddU64, &executed, 1);
        qemu_plugin_register_vcpu_mem_cb(instruction, on_access, kNoRegisters, accesses, data);
        for (int number = 0; number < reached_count; number++) {
            if (reached[number].address == address) {
                qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_reached, kNoRegisters, (void *)(intptr_t)number);
            }
        }
    }
}

static bool take_option(const char *option)
{
    const char *value = strchr(option, '=');
    const bool once = strncmp(option, "once=", 5) == 0;

    if (value == NULL) {
        return false;
    }
    const uint32_t address = (uint32_t)strtoul(value + 1, NULL, 0);
    if (strncmp(option, "watch=", 6) == 0 && watched_count != kWatchedLimit) {
        watched[watched_count++] = address;
        return true;
    }
    if (reached_count == kReachedLimit || (!once && strncmp(option, "reach=", 6) != 0)) {
        return false;
    }
    reached[reached_count].address = address;
    reached[reached_count++].once = once;
    return true;
}

int qemu_plugin_install(uint64_t id, const void *info, int count, char **options)
{
    (void)info;
    for (int number = 0; number < count; number++) {
        if (!take_option(options[number])) {
            return -1;
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
    return 0;
}
