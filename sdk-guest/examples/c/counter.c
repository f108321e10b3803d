// A contract in C on the raw host interface: what docs/host-interface.md lists, nothing else.
//
//   increment() -> uint64, add(uint64) -> uint64, count() -> uint64 view
//
// Values of 256 bits are four 64-bit limbs, least significant first. Lists are a pointer and a
// length; an export gets one that the host wrote to memory from cabi_realloc.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef struct { u64 limbs[4]; } word;
typedef struct { u32 is_revert; const u8 *data; u32 length; } result;

#define IMPORT(interface, function)                                           \
    __attribute__((import_module("synergy:aivm/" interface "@0.1.0"),         \
                   import_name(function)))
#define EXPORT(name) __attribute__((export_name(name)))

IMPORT("storage", "load") void storage_load(u64, u64, u64, u64, word *);
IMPORT("storage", "store") void storage_store(u64, u64, u64, u64, u64, u64, u64, u64);
IMPORT("context", "value") void context_value(word *);
IMPORT("context", "revert") void context_revert(const u8 *, u32);

// The allocator only goes forward: an instance lives for one call.
extern u8 __heap_base;
static u32 top;

EXPORT("cabi_realloc") u8 *cabi_realloc(u8 *old, u32 old_size, u32 align, u32 size) {
    if (!top) top = (u32)&__heap_base;
    u32 start = (top + align - 1) & -align;
    u32 end = start + size;
    u32 pages = (end >> 16) + 1;
    u32 have = (u32)__builtin_wasm_memory_size(0);
    if (end < start) __builtin_trap();
    if (pages > have && __builtin_wasm_memory_grow(0, pages - have) == (unsigned long)-1)
        __builtin_trap();
    top = end;
    for (u32 i = 0; i < old_size && i < size; i++) ((u8 *)start)[i] = old[i];
    return (u8 *)start;
}

// Ends the call with Solidity's Error(string); the text has at most 32 bytes.
static void revert_with(const char *text) {
    static u8 data[4 + 3 * 32] = {0x08, 0xc3, 0x79, 0xa0};
    u32 length = 0;
    for (; text[length] && length < 32; length++) data[68 + length] = (u8)text[length];
    data[35] = 32;
    data[67] = (u8)length;
    context_revert(data, sizeof data);
    __builtin_unreachable();
}

static void revert_empty(void) {
    context_revert(0, 0);
    __builtin_unreachable();
}

static u64 count(void) {
    word value;
    storage_load(0, 0, 0, 0, &value);
    return value.limbs[0];
}

static u64 add(u64 more) {
    u64 sum;
    if (__builtin_add_overflow(count(), more, &sum)) revert_with("overflow");
    storage_store(0, 0, 0, 0, sum, 0, 0, 0);
    return sum;
}

// The number in a word of call data, which must fit 64 bits.
static u64 decode(const u8 *at) {
    u64 value = 0;
    for (u32 i = 0; i < 24; i++)
        if (at[i]) revert_empty();
    for (u32 i = 24; i < 32; i++) value = value << 8 | at[i];
    return value;
}

static const result *answer(u64 value) {
    static u8 data[32];
    static result returned;
    for (u32 i = 0; i < 8; i++) data[31 - i] = (u8)(value >> 8 * i);
    returned = (result){0, data, sizeof data};
    return &returned;
}

static void no_value(void) {
    word value;
    context_value(&value);
    if (value.limbs[0] | value.limbs[1] | value.limbs[2] | value.limbs[3]) revert_empty();
}

EXPORT("construct") const result *construct(const u8 *input, u32 length) {
    static result nothing;
    no_value();
    return &nothing;
}

EXPORT("call") const result *call(const u8 *input, u32 length) {
    no_value();
    if (length < 4) revert_empty();
    u32 selector = (u32)input[0] << 24 | input[1] << 16 | input[2] << 8 | input[3];
    switch (selector) {
    case 0xd09de08a: // increment()
        return answer(add(1));
    case 0x7b881196: // add(uint64)
        if (length < 36) revert_empty();
        return answer(add(decode(input + 4)));
    case 0x06661abd: // count()
        return answer(count());
    }
    revert_empty();
    return 0;
}

EXPORT("query") const result *query(const u8 *input, u32 length) {
    return call(input, length);
}
