/*
 * A QEMU plugin that writes down what privileged code does, and plays the confined part.
 *
 * It reads and writes core registers through functions that QEMU exports but does not promise; they are right only where each
 * instruction is a block of its own, so QEMU must run with -singlestep (one instruction a block; no debugger involved).
 * Declarations are of the plugin interface, version 1 (QEMU 7.0 to 8.2), and of QEMU 7.2's own functions.
 *
 * Options: out=FILE (text), dump=FILE (memory, optional), acts=FILE (what the confined part does, optional), idle=ADDRESS (where
 * the confined part starts, or 4 before), ticks=N, runs=N and limit=N (the end: after so many interrupt handlers' runs, handlers'
 * runs in all, or instructions), camera=1 (the port C input
 * register delivers frames), ready=FILE (address, bits that a load finds set, reset value: registers whose devices QEMU lacks),
 * read=FILE (addresses of system registers to be read with each dump).
 *
 * Lines of out; numbers are hexadecimal but for COUNTs:
 *     boot | enter NUMBER                    a run begins; one may interrupt another
 *     r REGISTERS                            r0-r12, sp, lr, pc, xpsr, at the boundary that the line before it names
 *     x PC                                   privileged code executes this address for the first time
 *     L|S PC ADDRESS WIDTH VALUE COUNT STRIDE CALLS    loads or stores at one place with one value, COUNT of them, STRIDE apart;
 *                                            CALLS are the addresses of the calls that lead here, joined by "/"
 *     p PC VALUE                             PC, a handler's EXC_RETURN branch, branches to VALUE
 *     m PC ENCODING VALUE CALLS              MSR or CPS is about to be executed; VALUE is its operand, 0 for CPS
 *     s VALUES                               the registers that `read` lists, then RBAR and RASR of 8 MPU regions
 *     d                                      memory was appended to dump: 96 KB from 0x20000000
 *     leave NUMBER COUNT LOWEST MAIN         a run ends after COUNT instructions; the lowest and the last main stack pointer
 *     user                                   the first unprivileged instruction after a run
 *     start                                  the confined part begins to run at `idle`, or 4 on; what it does is not yet decided
 *     cut NUMBER COUNT LOWEST                a run is under way at the end, the innermost first
 *     end WHY COUNT                          after COUNT instructions in all. WHY: ticks, runs, instructions (enough of them), abort
 *                                            (lock-up), exit (reset), nesting, depth (of handlers, of calls: too deep to follow),
 *                                            escaped (a handler has returned to thread mode with privilege)
 */
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct translation;
struct instruction;
struct processor;
struct space;
typedef struct {
    uint8_t *data;
    unsigned int length;
} bytes_t;
enum { kNoRegisters = 0, kLoadsAndStores = 3 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*call)(uint64_t id, struct translation *block));
extern void qemu_plugin_register_atexit_cb(uint64_t id, void (*call)(uint64_t id, void *data), void *data);
extern size_t qemu_plugin_tb_n_insns(const struct translation *block);
extern struct instruction *qemu_plugin_tb_get_insn(const struct translation *block, size_t index);
extern uint64_t qemu_plugin_insn_vaddr(const struct instruction *instruction);
extern const void *qemu_plugin_insn_data(const struct instruction *instruction);
extern void qemu_plugin_register_vcpu_insn_exec_cb(
    struct instruction *instruction, void (*call)(unsigned int cpu, void *data), int registers, void *data);
extern void qemu_plugin_register_vcpu_mem_cb(
    struct instruction *instruction, void (*call)(unsigned int cpu, uint32_t access, uint64_t address, void *data), int registers,
    int kind, void *data);
extern unsigned int qemu_plugin_mem_size_shift(uint32_t access);
extern bool qemu_plugin_mem_is_store(uint32_t access);

extern struct processor *qemu_get_cpu(int index);
extern int arm_cpu_gdb_read_register(struct processor *cpu, bytes_t *into, int number);
extern int arm_cpu_gdb_write_register(struct processor *cpu, uint8_t *value, int number);
extern void cpu_dump_state(struct processor *cpu, FILE *stream, int flags);
extern void cpu_physical_memory_rw(uint64_t address, void *buffer, uint64_t length, bool write);
extern struct space *cpu_get_address_space(struct processor *cpu, int index);
extern uint32_t address_space_rw(struct space *space, uint64_t address, uint32_t attributes, void *buffer, uint64_t length, bool write);
extern bytes_t *g_byte_array_new(void);
extern bytes_t *g_byte_array_set_size(bytes_t *array, unsigned int length);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id, const void *info, int count, char **options);

enum { kStack = 13, kLink = 14, kProgramCounter = 15, kXpsr = 16, kXpsrNumber = 25, kRegisters = 17 };
enum { kDepth = 64, kNesting = 8, kActWords = 16, kMostActs = 64, kFirstInterrupt = 16, kControl = 20, kConfinedCode = 64, kMostRead = 256, kMostReady = 128, kRegions = 8 };

static const uint32_t kMemory = 0x20000000u, kMemorySize = 0x18000u;
static const uint32_t kCameraPort = 0x40020810u;
static const uint32_t kExceptionReturn = 0xFFFFFF00u;
static const uint32_t kMpuRnr = 0xE000ED98u, kMpuRbar = 0xE000ED9Cu, kMpuRasr = 0xE000EDA0u;

/* An instruction, as translated. */
typedef struct {
    uint32_t address;
    uint16_t first, second;
    uint8_t size;
    bool seen; /* by privileged code */
    uint8_t moved_count;
    uint8_t moved[16]; /* registers that it loads or stores, lowest address first */
} place_t;

/* Loads or stores at one place, so far alike. */
typedef struct {
    const place_t *place;
    bool store;
    uint32_t address, width, value, count, stride;
} group_t;

typedef struct {
    uint32_t number; /* of the exception; 0 for boot */
    uint64_t count;
    uint32_t lowest;
    uint32_t calls[kDepth];
    int depth;
} run_t;

static struct processor *cpu;
static bytes_t *buffer;
static FILE *out, *dump;
static uint64_t executed, limit = 20000000u, last = UINT64_MAX, most_ticks = 4, most_runs = 64, ticks_ended, runs_ended;
static uint32_t idle, main_stack;
static bool camera, process_stack, privileged = true, started;
static run_t runs[kNesting];
static int nested = -1; /* index of the run that is under way */
static const place_t *previous;
static bool previous_returns, previous_system;
static group_t pending;
static uint32_t acts[kMostActs][kActWords];
static int act_count, act_next, starts_in_period;
static uint32_t read_list[kMostRead];
static int read_count;
/* Accesses of the instruction at work, whose loaded values are known when it has ended. */
static struct {
    uint32_t address, width;
    bool store;
} accesses[16];
static int access_count;
static uint32_t before[16];
static struct {
    uint32_t address, set, stored;
} ready[kMostReady];
static size_t ready_count;
static uint64_t camera_reads;

static uint32_t get(int number)
{
    uint32_t value;

    g_byte_array_set_size(buffer, 0);
    arm_cpu_gdb_read_register(cpu, buffer, number == kXpsr ? kXpsrNumber : number);
    memcpy(&value, buffer->data, sizeof value);
    return value;
}

static void set(int number, uint32_t value)
{
    uint8_t text[4];

    memcpy(text, &value, sizeof value);
    arm_cpu_gdb_write_register(cpu, text, number);
}

static uint32_t word_at(uint32_t address)
{
    uint32_t value = 0;

    cpu_physical_memory_rw(address, &value, sizeof value, false);
    return value;
}

static bool mode_is_privileged(void)
{
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);

    cpu_dump_state(cpu, stream, 0);
    fclose(stream);
    const bool user = strstr(text, "unpriv-thread") != NULL;
    free(text);
    return !user;
}

static void print_registers(void)
{
    fputs("r", out);
    for (int number = 0; number < kRegisters; number++) {
        fprintf(out, " %x", (unsigned int)get(number));
    }
    fputs("\n", out);
}

static void print_calls(void)
{
    for (int depth = 0; depth < runs[nested].depth; depth++) {
        fprintf(out, "%s%x", depth ? "/" : "", (unsigned int)runs[nested].calls[depth]);
    }
}

static void flush_group(void)
{
    if (pending.count == 0) {
        return;
    }
    fprintf(out, "%c %x %x %u %x %u %x ", pending.store ? 'S' : 'L', (unsigned int)pending.place->address, (unsigned int)pending.address,
            (unsigned int)pending.width, (unsigned int)pending.value, (unsigned int)pending.count, (unsigned int)pending.stride);
    print_calls();
    fputs("\n", out);
    pending.count = 0;
}

static void note_access(const place_t *place, bool store, uint32_t address, uint32_t width, uint32_t value)
{
    const bool alike = pending.count != 0 && pending.place == place && pending.store == store && pending.width == width &&
                       pending.value == value;

    if (alike && pending.count == 1) {
        pending.stride = address - pending.address;
    }
    if (alike && address == pending.address + pending.count * pending.stride) {
        pending.count++;
        return;
    }
    flush_group();
    pending = (group_t){place, store, address, width, value, 1, 0};
}

/* Finds the registers that a load or store instruction moves. */
static void find_moved(place_t *place)
{
    uint8_t *registers = place->moved;
    const uint16_t first = place->first, second = place->second;
    uint32_t list = 0;

    if (place->size == 2) {
        if ((first >= 0x5000u && first < 0x9000u)) {
            registers[0] = first & 7;
            place->moved_count = 1;
            return;
        }
        if ((first & 0xF800u) == 0x4800u || (first & 0xF000u) == 0x9000u) {
            registers[0] = (first >> 8) & 7;
            place->moved_count = 1;
            return;
        }
        if ((first & 0xF000u) == 0xC000u) {
            list = first & 0xFFu;
        } else if ((first & 0xFE00u) == 0xB400u) {
            list = (first & 0xFFu) | ((first & 0x100u) << 6);
        } else if ((first & 0xFE00u) == 0xBC00u) {
            list = (first & 0xFFu) | ((first & 0x100u) << 7);
        }
    } else if ((first & 0xFE00u) == 0xF800u) {
        registers[0] = (uint8_t)(second >> 12);
        place->moved_count = 1;
        return;
    } else if ((first & 0xFE40u) == 0xE840u) {
        registers[0] = (uint8_t)(second >> 12);
        registers[1] = (second >> 8) & 15;
        place->moved_count = 2;
        return;
    } else if ((first & 0xFE40u) == 0xE800u) {
        list = second;
    }
    for (uint8_t number = 0; number < 16; number++) {
        if (list >> number & 1) {
            registers[place->moved_count++] = number;
        }
    }
}

static uint32_t masked(uint32_t value, uint32_t width)
{
    return width >= 4 ? value : value & ((1u << 8 * width) - 1);
}

/* Writes down the accesses of the instruction that has just ended. */
static void finish_accesses(void)
{
    const uint8_t *registers = previous->moved;

    for (int index = 0; index < access_count; index++) {
        uint32_t value = 0;
        if (index < previous->moved_count) {
            const int number = registers[index];
            const bool lost = number == kProgramCounter && !accesses[index].store; /* of a loaded pc, bit 0 */
            value = accesses[index].store ? before[number] : lost ? word_at(accesses[index].address) : get(number);
        }
        note_access(previous, accesses[index].store, accesses[index].address, accesses[index].width,
                    masked(value, accesses[index].width));
    }
    access_count = 0;
}

/* Port C as a sensor would drive it, one step a read: PC0-7 pixel, PC8 its clock, PC9 line valid, PC10 frame valid. */
static uint32_t camera_levels(void)
{
    enum { kGap = 40, kLine = 2 * 162, kPause = 12, kLines = 122 };
    const uint64_t frame = kGap + (uint64_t)kLines * (kLine + kPause);
    const uint64_t at = camera_reads++ % frame;

    if (at < kGap) {
        return 0;
    }
    const uint64_t in_line = (at - kGap) % (kLine + kPause);
    if (in_line >= kLine) {
        return 1u << 10;
    }
    return 3u << 9 | (uint32_t)(in_line & 1) << 8 | (uint32_t)(camera_reads * 2654435761u >> 7 & 0xFFu);
}

/* What a device would answer and QEMU's does not: the last word stored with some bits set, or the camera's levels. */
static void answer(void)
{
    if (!privileged || access_count != 1 || previous->moved_count != 1 || accesses[0].width != 4) {
        return;
    }
    const uint8_t target = previous->moved[0];
    if (camera && accesses[0].address == kCameraPort && !accesses[0].store) {
        set(target, camera_levels());
        return;
    }
    for (size_t index = 0; index < ready_count; index++) {
        if (ready[index].address == accesses[0].address) {
            if (accesses[0].store) {
                ready[index].stored = before[target];
            } else {
                set(target, ready[index].stored | ready[index].set);
            }
        }
    }
}

/* A word of the processor's private bus, with privilege and without side effects on the registers that are read here. */
static uint32_t system_word(uint32_t address, uint32_t value, bool write)
{
    enum { kUnspecified = 1 };

    address_space_rw(cpu_get_address_space(cpu, 0), address, kUnspecified, &value, sizeof value, write);
    return value;
}

static void print_system(void)
{
    fputs("s", out);
    for (int index = 0; index < read_count; index++) {
        fprintf(out, " %x", (unsigned int)system_word(read_list[index], 0, false));
    }
    const uint32_t selected = system_word(kMpuRnr, 0, false);
    for (uint32_t region = 0; region < kRegions; region++) {
        system_word(kMpuRnr, region, true);
        fprintf(out, " %x %x", (unsigned int)system_word(kMpuRbar, 0, false), (unsigned int)system_word(kMpuRasr, 0, false));
    }
    system_word(kMpuRnr, selected, true);
    fputs("\n", out);
}

static void print_memory(void)
{
    static uint8_t memory[0x18000];

    if (dump == NULL) {
        return;
    }
    cpu_physical_memory_rw(kMemory, memory, kMemorySize, false);
    fwrite(memory, 1, kMemorySize, dump);
    fputs("d\n", out);
}

static void close_files(void)
{
    fflush(out);
    if (dump != NULL) {
        fflush(dump);
    }
}

static void end(const char *why)
{
    flush_group();
    while (nested >= 0) {
        fprintf(out, "cut %x %llu %x\n", (unsigned int)runs[nested].number, (unsigned long long)runs[nested].count,
                (unsigned int)runs[nested].lowest);
        nested--;
    }
    fprintf(out, "end %s %llu\n", why, (unsigned long long)executed);
    close_files();
    _exit(0);
}

static void on_abort(int number)
{
    (void)number;
    end("abort");
}

static void on_exit_of_qemu(uint64_t id, void *data)
{
    (void)id;
    (void)data;
    end("exit");
}

static void enter(uint32_t number)
{
    flush_group();
    if (nested + 1 == kNesting) {
        end("nesting");
    }
    runs[++nested] = (run_t){.number = number, .lowest = 0xFFFFFFFFu};
    if (number == 0) {
        fputs("boot\n", out);
        print_registers();
        return;
    }
    if (number >= kFirstInterrupt) {
        starts_in_period = 0;
    }
    fprintf(out, "enter %x\n", (unsigned int)number);
    print_registers();
    if (dump != NULL) {
        print_system();
        print_memory();
    }
}

static void leave(void)
{
    flush_group();
    fprintf(out, "leave %x %llu %x %x\n", (unsigned int)runs[nested].number, (unsigned long long)runs[nested].count,
            (unsigned int)runs[nested].lowest, (unsigned int)main_stack);
    const uint32_t number = runs[nested--].number;
    if (number != 0 && ++runs_ended == most_runs) {
        end("runs");
    }
    if (number >= kFirstInterrupt && ++ticks_ended == most_ticks) {
        last = executed; /* the state after it is still wanted */
    }
}

/* The value that an instruction of a handler would branch to, where its form is that of a return. */
static uint32_t branches_to(const place_t *place)
{
    if ((place->first & 0xFF87u) == 0x4700u) {
        return get(place->first >> 3 & 15);
    }
    if ((place->first & 0xFF00u) == 0xBD00u) {
        return word_at(get(kStack) + 4u * (uint32_t)__builtin_popcount(place->first & 0xFFu));
    }
    if (place->size == 4 && place->first == 0xE8BDu && place->second >> 15) {
        return word_at(get(kStack) + 4u * (uint32_t)__builtin_popcount(place->second & 0x7FFFu));
    }
    if (place->size == 4 && place->first == 0xF85Du && place->second == 0xFB04u) {
        return word_at(get(kStack));
    }
    return 0;
}

static bool is_call(const place_t *place)
{
    return (place->size == 4 && (place->first & 0xF800u) == 0xF000u && (place->second & 0xD000u) == 0xD000u) ||
           (place->size == 2 && (place->first & 0xFF87u) == 0x4780u);
}

static void follow_calls(run_t *run, const place_t *place)
{
    if (previous == NULL || run->count == 0 || place->address == previous->address + previous->size) {
        return;
    }
    if (is_call(previous)) {
        flush_group();
        if (run->depth == kDepth) {
            end("depth");
        }
        run->calls[run->depth++] = previous->address;
        return;
    }
    for (int depth = run->depth - 1; depth >= 0; depth--) {
        if (place->address == run->calls[depth] + 4 || place->address == run->calls[depth] + 2) {
            flush_group();
            run->depth = depth;
            return;
        }
    }
}

/* The first start in a period plays the next act; the first act is for all other starts and when no other is left. */
static void act(void)
{
    const bool next = starts_in_period++ == 0 && act_next + 1 < act_count;

    if (act_count == 0) {
        return;
    }
    if (next) {
        act_next++;
    }
    for (int number = 0; number <= kLink; number++) {
        set(number, acts[next ? act_next : 0][number]);
    }
}

static void on_privileged(place_t *place, bool in_handler)
{
    run_t *run = &runs[nested];

    follow_calls(run, place);
    run->count++;
    if (!place->seen) {
        place->seen = true;
        flush_group();
        fprintf(out, "x %x\n", (unsigned int)place->address);
    }
    if (in_handler || !process_stack) {
        const uint32_t stack = get(kStack);
        run->lowest = stack < run->lowest ? stack : run->lowest;
        main_stack = stack;
    }
    previous_returns = false;
    if (in_handler) {
        const uint32_t target = branches_to(place);
        previous_returns = target >= kExceptionReturn;
        if (previous_returns) {
            flush_group();
            fprintf(out, "p %x %x\n", (unsigned int)place->address, (unsigned int)target);
            print_registers();
            if (dump != NULL) {
                print_system();
                print_memory();
            }
        }
    }
    previous_system = place->size == 4 && (place->first & 0xFFE0u) == 0xF380u && (place->second & 0xD000u) == 0x8000u;
    if (previous_system || (place->size == 2 && (place->first & 0xFFE0u) == 0xB660u)) {
        if (previous_system && (place->second & 0xFFu) == kControl && !in_handler) {
            process_stack = get(place->first & 15) >> 1 & 1;
        }
        flush_group();
        fprintf(out, "m %x %x %x ", (unsigned int)place->address, (unsigned int)place->first << 16 | place->second,
                previous_system ? (unsigned int)get(place->first & 15) : 0u);
        print_calls();
        fputs("\n", out);
        if (dump != NULL && run->number == 0 && (place->second & 0xFFu) == kControl) {
            print_system();
        }
    }
}

/* Which run the instruction at hand belongs to: begins and ends runs. */
static void follow_runs(uint32_t number)
{
    const bool changed = nested < 0 || runs[nested].number != number;

    if (!started) {
        started = true;
        enter(0);
    } else if (previous_returns) {
        leave();
        if (number != 0 && (nested < 0 || runs[nested].number != number)) {
            enter(number);
        }
    } else if (number != 0 && changed) {
        enter(number);
    } else if (number == 0 && changed && nested >= 0) {
        leave(); /* it returned in a way that is not known here */
    }
    if (previous_returns || previous_system || changed) {
        privileged = mode_is_privileged();
    }
}

static void on_executed(unsigned int index, void *data)
{
    place_t *place = data;

    (void)index;
    if (cpu == NULL) {
        cpu = qemu_get_cpu(0);
        buffer = g_byte_array_new();
    }
    if (previous != NULL) {
        if (access_count != 0) {
            answer();
            finish_accesses();
        }
    }
    if (executed++ >= limit || executed > last) {
        end(executed > last ? "ticks" : "instructions");
    }
    const bool was_privileged = privileged;
    const uint32_t number = get(kXpsr) & 0x1FFu;
    const bool interrupted = nested >= 0 && number != 0 && (runs[nested].number != number || previous_returns);
    if (interrupted || previous_returns || previous_system || !started || number != (nested < 0 ? 0 : runs[nested].number)) {
        follow_runs(number);
    }
    if (privileged && nested < 0) {
        end("escaped");
    }
    if (privileged) {
        for (int each = 0; each < place->moved_count; each++) {
            before[place->moved[each]] = get(place->moved[each]);
        }
        on_privileged(place, number != 0);
    } else {
        previous_returns = previous_system = false;
        if (was_privileged) {
            flush_group();
            if (nested == 0 && runs[0].number == 0) {
                leave(); /* the drop */
            }
            fputs("user\n", out);
            print_registers();
            print_memory();
        }
        const bool came = previous == NULL || previous->address < idle || previous->address >= idle + kConfinedCode;
        if (came && (place->address == idle || place->address == idle + 4)) {
            fputs("start\n", out);
            print_registers();
            act();
        }
    }
    previous = place;
}

static void on_access(unsigned int index, uint32_t access, uint64_t address, void *data)
{
    (void)index;
    (void)data;
    if (privileged && access_count < 16) {
        accesses[access_count].address = (uint32_t)address;
        accesses[access_count].width = 1u << qemu_plugin_mem_size_shift(access);
        accesses[access_count++].store = qemu_plugin_mem_is_store(access);
    }
}

static place_t *place_of(struct instruction *instruction)
{
    enum { kPlaces = 1 << 16 };
    static place_t *places[kPlaces];
    place_t found = {.address = (uint32_t)qemu_plugin_insn_vaddr(instruction)};
    memcpy(&found.first, qemu_plugin_insn_data(instruction), 2);
    /* Not qemu_plugin_insn_size: at the end of a page QEMU also looks at the next instruction and counts that in. */
    found.size = found.first >> 11 >= 0x1Du ? 4 : 2;
    if (found.size == 4) {
        memcpy(&found.second, (const uint8_t *)qemu_plugin_insn_data(instruction) + 2, 2);
    }
    for (uint32_t probe = found.address >> 1;; probe++) {
        place_t **place = &places[probe % kPlaces];
        if (*place == NULL) {
            *place = malloc(sizeof **place);
            **place = found;
            find_moved(*place);
        }
        if ((*place)->address == found.address && (*place)->first == found.first && (*place)->second == found.second) {
            return *place;
        }
    }
}

static void on_translated(uint64_t id, struct translation *block)
{
    (void)id;
    const size_t count = qemu_plugin_tb_n_insns(block);
    for (size_t index = 0; index < count; index++) {
        struct instruction *instruction = qemu_plugin_tb_get_insn(block, index);
        place_t *place = place_of(instruction);

        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_executed, kNoRegisters, place);
        qemu_plugin_register_vcpu_mem_cb(instruction, on_access, kNoRegisters, kLoadsAndStores, place);
    }
}

static bool read_words(const char *path, void *into, size_t most, size_t *count)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        return false;
    }
    *count = fread(into, sizeof(uint32_t), most, file);
    fclose(file);
    return true;
}

static bool option(const char *name, const char *value)
{
    size_t count = 0;

    if (strcmp(name, "out") == 0) {
        out = fopen(value, "w");
        return out != NULL;
    }
    if (strcmp(name, "dump") == 0) {
        dump = fopen(value, "wb");
        return dump != NULL;
    }
    if (strcmp(name, "acts") == 0) {
        const bool read = read_words(value, acts, sizeof acts / sizeof(uint32_t), &count);
        act_count = (int)(count / kActWords);
        return read;
    }
    if (strcmp(name, "ready") == 0) {
        const bool read = read_words(value, ready, 3 * kMostReady, &count);
        ready_count = count / 3;
        return read;
    }
    if (strcmp(name, "read") == 0) {
        const bool read = read_words(value, read_list, kMostRead, &count);
        read_count = (int)count;
        return read;
    }
    const uint64_t number = strtoull(value, NULL, 0);
    if (strcmp(name, "idle") == 0) {
        idle = (uint32_t)number;
    } else if (strcmp(name, "ticks") == 0) {
        most_ticks = number;
    } else if (strcmp(name, "runs") == 0) {
        most_runs = number;
    } else if (strcmp(name, "limit") == 0) {
        limit = number;
    } else if (strcmp(name, "camera") == 0) {
        camera = number != 0;
    } else {
        return false;
    }
    return true;
}

int qemu_plugin_install(uint64_t id, const void *info, int count, char **options)
{
    (void)info;
    for (int number = 0; number < count; number++) {
        char *value = strchr(options[number], '=');

        if (value == NULL) {
            return -1;
        }
        *value = '\0';
        if (!option(options[number], value + 1)) {
            return -1;
        }
    }
    if (out == NULL) {
        return -1;
    }
    signal(SIGABRT, on_abort);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
    qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
    return 0;
}
