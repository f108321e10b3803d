/* A chain in C that has what a chain need not have: models by name, an inbox, functions of its own, a PQ-Gas lane, a log
 * and a list of what contracts have stored.
 *
 *     chain <bridge.wasm> <classifier.wasm> <checker.wasm> <model.onnx> <image> <selectors>
 *
 * The bridge sends a message and takes one, the classifier loads its model by name, and the checker calls the chain's
 * function `twice` and verifies a signature that is none until the block has no PQ-Gas left. `image` holds 64 pixels,
 * `selectors` the first four bytes of the call data for deposit, release, check, doubled and thrice, in hexadecimal.
 */
#include "store.h"

/* What the store does not have. The store comes first, so that its callbacks can be used as they are. */
struct more {
    struct chain chain;
    uint8_t model[32];
    int has_model;
    uint8_t id[32];
    int has_message;
    struct AivmInboxMessage message;
    const char *sender;
    uint8_t *payload;
    size_t payload_len;
    /* What the inbox answers instead, if not 0: -1 fails, 1 writes from nowhere, 2 writes more than there can be. */
    int trouble;
    unsigned asked_code, asked_model, doubled_for, lines;
};

static int32_t has_code(void *user, const uint8_t *hash) {
    struct more *more = user;
    more->asked_code++;
    return *find(user, AIVM_CHANGE_KIND_CODE, nobody, hash, 32) != NULL;
}

static int32_t has_model(void *user, const uint8_t *hash) {
    struct more *more = user;
    more->asked_model++;
    return *find(user, AIVM_CHANGE_KIND_MODEL, nobody, hash, 32) != NULL;
}

static int32_t model_named(void *user, const uint8_t *name, size_t name_len, uint8_t *model) {
    struct more *more = user;
    if (name_len == 6 && memcmp(name, "broken", 6) == 0) {
        return -2;
    }
    if (!more->has_model || name_len != 6 || memcmp(name, "digits", 6) != 0) {
        return 0;
    }
    memcpy(model, more->model, 32);
    return 1;
}

static int32_t inbox_message(void *user, const uint8_t *id, struct AivmInboxMessage *message, struct AivmSink *sender,
                             struct AivmSink *payload) {
    struct more *more = user;
    if (more->trouble < 0) {
        return more->trouble;
    }
    if (more->trouble > 0) {
        uint8_t byte = 0;
        aivm_sink_write(payload, more->trouble == 1 ? NULL : &byte, more->trouble == 1 ? 5 : SIZE_MAX);
        return 1;
    }
    if (!more->has_message || memcmp(id, more->id, 32) != 0) {
        return 0;
    }
    *message = more->message;
    aivm_sink_write(sender, (const uint8_t *)more->sender, strlen(more->sender));
    aivm_sink_write(payload, more->payload, more->payload_len);
    return 1;
}

static int is_twice(const struct AivmExtensionCall *call) {
    return call->name.len == 5 && memcmp(call->name.data, "twice", 5) == 0;
}

static int32_t extension_gas(void *user, const struct AivmExtensionCall *call, uint64_t *gas) {
    (void)user;
    *gas = 1000 + call->arguments.len;
    return is_twice(call);
}

/* Doubles a number; refuses 0, and fails for 255. */
static int32_t extension(void *user, const struct AivmExtensionCall *call, struct AivmSink *output) {
    struct more *more = user;
    uint8_t word[32] = {0};
    if (!is_twice(call) || call->arguments.len != 32 || call->arguments.data[31] == 255) {
        return -9;
    }
    if (call->arguments.data[31] == 0) {
        aivm_sink_write(output, (const uint8_t *)"nothing", 7);
        return 0;
    }
    more->doubled_for = call->caller[0];
    word[30] = call->arguments.data[31] >> 7;
    word[31] = (uint8_t)(call->arguments.data[31] << 1);
    aivm_sink_write(output, word, 32);
    return 1;
}

/* Lines of contracts are a stranger's text: this shows only what cannot do anything to a terminal. */
static void debug_log(void *user, const uint8_t *contract, const uint8_t *message, size_t message_len) {
    struct more *more = user;
    (void)contract;
    more->lines++;
    printf("log: ");
    for (size_t i = 0; i < message_len; i++) {
        putchar(message[i] < ' ' || message[i] > '~' ? '?' : message[i]);
    }
    puts("");
}

/* In the order of the bytes of keys; a key comes before one that begins with it. */
static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len) {
    size_t len = a_len < b_len ? a_len : b_len;
    int order = len ? memcmp(a, b, len) : 0;
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* The list is in no order, so each entry is looked for: a real store has an index. */
static int32_t storage_range(void *user, const uint8_t *contract, const uint8_t *from, size_t from_len, size_t limit,
                             struct AivmEntrySink *entries) {
    struct chain *chain = user;
    const struct entry *last = NULL;
    for (size_t i = 0; i < limit; i++) {
        const struct entry *next = NULL;
        for (const struct entry *entry = chain->entries; entry; entry = entry->next) {
            if (entry->kind != AIVM_CHANGE_KIND_STORAGE_SET || memcmp(entry->address, contract, 20) != 0 ||
                compare(entry->key, entry->key_len, from, from_len) < 0 ||
                (last && compare(entry->key, entry->key_len, last->key, last->key_len) <= 0)) {
                continue;
            }
            if (!next || compare(entry->key, entry->key_len, next->key, next->key_len) < 0) {
                next = entry;
            }
        }
        if (!next) {
            break;
        }
        aivm_entry_write(entries, (struct AivmBytes){next->key, next->key_len},
                         (struct AivmBytes){next->value, next->value_len});
        last = next;
    }
    return 0;
}

static void print_hash(const uint8_t *hash) {
    for (int i = 0; i < 32; i++) {
        printf("%02x", hash[i]);
    }
    puts("");
}

/* Prints how a call ended and frees its receipt. */
static void print(const char *what, struct AivmReceipt *receipt) {
    uint8_t hash[32];
    check(aivm_receipt_hash(receipt, hash), "hash");
    printf("%s: status %d, %zu bytes, %zu messages, receipt ", what, (int)aivm_receipt_status(receipt),
           aivm_receipt_output(receipt).len, aivm_receipt_message_count(receipt));
    print_hash(hash);
    aivm_receipt_free(receipt);
}

/* Prints why a function failed. */
static void print_failure(const char *what, AivmCode code) {
    printf("%s: code %d, %s\n", what, (int)code, aivm_error_message());
}

/* Prints what a contract has stored, `page` entries at a time. */
static void print_storage(struct AivmHost *host, const uint8_t *contract, size_t page) {
    uint8_t from[256];
    size_t from_len = 0, count = 0, found;
    do {
        struct AivmEntries *entries = NULL;
        check(aivm_host_storage_range(host, contract, (struct AivmBytes){from, from_len}, page, &entries), "storage");
        found = aivm_entries_count(entries);
        for (size_t i = 0; i < found; i++) {
            struct AivmBytes key, value;
            check(aivm_entries_get(entries, i, &key, &value), "entry");
            printf("stored: ");
            for (size_t j = 0; j < key.len; j++) {
                printf("%02x", key.data[j]);
            }
            printf(" has %zu bytes\n", value.len);
            if (key.len >= sizeof from) {
                fputs("a long key\n", stderr);
                exit(2);
            }
            /* The next page begins at the least key above this one. */
            memcpy(from, key.data, key.len);
            from[key.len] = 0;
            from_len = key.len + 1;
        }
        count += found;
        aivm_entries_free(entries);
    } while (found == page);
    printf("%zu entries\n", count);
}

/* Solidity arguments: words, and byte strings behind them. */
struct arguments {
    uint8_t data[8192];
    size_t len;
};

static void number(struct arguments *to, uint64_t value) {
    for (int i = 0; i < 8; i++) {
        to->data[to->len + 31 - i] = (uint8_t)(value >> 8 * i);
    }
    to->len += 32;
}

static void word(struct arguments *to, const uint8_t *bytes, size_t len) {
    memcpy(to->data + to->len + 32 - len, bytes, len);
    to->len += 32;
}

static void bytes(struct arguments *to, const void *bytes, size_t len) {
    number(to, len);
    memcpy(to->data + to->len, bytes, len);
    to->len += (len + 31) / 32 * 32;
}

static struct arguments begin(const char *selector) {
    struct arguments new = {.len = 4};
    for (int i = 0; i < 4; i++) {
        unsigned byte;
        if (sscanf(selector + 2 * i, "%2x", &byte) != 1) {
            fprintf(stderr, "a selector has 8 hexadecimal digits\n");
            exit(2);
        }
        new.data[i] = (uint8_t)byte;
    }
    return new;
}

static void deploy(struct AivmVm *vm, struct AivmHost *host, const char *what, const char *path,
                   const struct arguments *arguments, uint8_t *address) {
    size_t len;
    uint8_t *module = read_file(path, &len);
    struct AivmDeploy deploy = {.from = {0xa1}, .input = {arguments->data, arguments->len}};
    struct AivmReceipt *receipt = NULL;
    check(aivm_upload(vm, host, module, len, deploy.code, NULL), "upload");
    check(aivm_deploy(vm, host, &deploy, address, &receipt), "deploy");
    print(what, receipt);
    free(module);
}

int main(int argc, char **argv) {
    if (argc != 11) {
        fprintf(stderr, "usage: %s <bridge> <classifier> <checker> <model> <image> <deposit> <release> <check> <doubled> "
                "<thrice>\n",
                argv[0]);
        return 2;
    }
    struct more more = {.chain = {.height = 1}, .message = {.source_chain = 5, .destination = 7}, .sender = "their bridge"};
    struct AivmCallbacks callbacks = {&more, block, storage_get, balance, contract, code, model, commit, NULL};
    struct AivmOptionalCallbacks optional = {sizeof optional, has_code, has_model, model_named, inbox_message,
                                             extension_gas, extension, debug_log, storage_range};
    struct AivmVm *vm = NULL;
    struct AivmHost *host = NULL;
    check(aivm_vm_new(&vm), "new vm");
    check(aivm_host_new(&callbacks, &host), "new host");
    check(aivm_host_set_optional(host, &optional), "optional callbacks");

    /* A message out. */
    struct arguments arguments = {.len = 0};
    uint8_t bridge[20], receiver[20] = {0xb0};
    number(&arguments, 5);
    number(&arguments, 64);
    bytes(&arguments, more.sender, strlen(more.sender));
    deploy(vm, host, "bridge", argv[1], &arguments, bridge);
    arguments = begin(argv[6]);
    word(&arguments, receiver, 20);
    number(&arguments, 64);
    bytes(&arguments, "hello", 5);
    struct AivmCall call = {.from = {0xa1}, .input = {arguments.data, arguments.len}};
    memcpy(call.to, bridge, 20);
    struct AivmReceipt *receipt = NULL;
    check(aivm_call(vm, host, &call, &receipt), "deposit");
    struct AivmSentMessage sent;
    check(aivm_receipt_message(receipt, 0, &sent), "message");
    printf("to chain %llu, number %llu, recipient of %zu bytes, payload of %zu bytes, identifier ",
           (unsigned long long)sent.destination, (unsigned long long)sent.sequence, sent.recipient.len,
           sent.payload.len);
    print_hash(sent.id);
    struct AivmSentMessage none;
    print_failure("the next one", aivm_receipt_message(receipt, 1, &none));

    /* A message in: what went out comes back under its identifier. It is taken once. */
    memcpy(more.id, sent.id, 32);
    memcpy(more.message.recipient, bridge, 20);
    more.payload = copy(sent.payload.data, sent.payload.len);
    more.payload_len = sent.payload.len;
    print("deposit", receipt);
    arguments = begin(argv[7]);
    word(&arguments, more.id, 32);
    call.input.len = arguments.len;
    for (int i = 0; i < 3; i++) {
        check(aivm_call(vm, host, &call, &receipt), "release");
        print("release", receipt);
        more.has_message = 1;
    }
    for (more.trouble = -1; more.trouble < 3; more.trouble++) {
        if (more.trouble != 0) {
            print_failure("inbox", aivm_call(vm, host, &call, &receipt));
        }
    }

    print_storage(host, bridge, 1);

    /* A model by its name, before and after it has one, and one that the chain stumbles over. */
    size_t file_len, image_len;
    uint8_t *file = read_file(argv[4], &file_len), *image = read_file(argv[5], &image_len);
    check(aivm_register_model(vm, host, file, file_len, more.model, NULL), "model");
    arguments.len = 0;
    deploy(vm, host, "classifier", argv[2], &arguments, call.to);
    call.input = (struct AivmBytes){image, image_len};
    for (int i = 0; i < 3; i++) {
        check(aivm_call(vm, host, &call, &receipt), "classify");
        print("classify", receipt);
        more.has_model = 1;
    }
    uint8_t broken[64 + 7] = {0};
    memcpy(broken + 64, "nbroken", 7);
    call.input = (struct AivmBytes){broken, sizeof broken};
    print_failure("name", aivm_call(vm, host, &call, &receipt));

    /* A function of the chain: it returns, it reverts, it fails; and one that the chain does not have. */
    deploy(vm, host, "checker", argv[3], &arguments, call.to);
    for (unsigned i = 0; i < 4; i++) {
        static const uint8_t numbers[] = {200, 0, 1, 255};
        arguments = begin(argv[i == 2 ? 10 : 9]);
        number(&arguments, numbers[i]);
        call.input = (struct AivmBytes){arguments.data, arguments.len};
        AivmCode code = aivm_call(vm, host, &call, &receipt);
        if (code == AIVM_CODE_OK) {
            print("doubled", receipt);
        } else {
            print_failure("doubled", code);
        }
    }

    /* A block until its lane is full. */
    static const uint8_t zeros[3309];
    arguments = begin(argv[8]);
    number(&arguments, 96);
    number(&arguments, 96 + 32 + 1952);
    number(&arguments, 96 + 32 + 1952 + 64);
    bytes(&arguments, zeros, 1952);
    bytes(&arguments, "message", 7);
    bytes(&arguments, zeros, 3309);
    call.input = (struct AivmBytes){arguments.data, arguments.len};
    struct AivmBlockPqGas *lane = NULL;
    check(aivm_block_new(vm, host, &lane), "block");
    unsigned calls = 0;
    AivmCode ended;
    while ((ended = aivm_call_in_block(vm, host, &call, lane, &receipt)) == AIVM_CODE_OK) {
        calls++;
        aivm_receipt_free(receipt);
    }
    print_failure("block", ended);
    printf("%u calls; %llu of %llu left\n", calls, (unsigned long long)aivm_block_pq_gas_left(lane),
           (unsigned long long)aivm_block_pq_gas_limit(lane));
    aivm_block_free(lane);
    printf("asked for code %s, for models %s; doubled for %02x; lines %u; commits %u\n", more.asked_code ? "yes" : "no",
           more.asked_model ? "yes" : "no", more.doubled_for, more.lines, more.chain.commits);

    aivm_host_free(host);
    aivm_vm_free(vm);
    free_chain(&more.chain);
    free(more.payload);
    free(file);
    free(image);
    return 0;
}
