/* A chain in C that runs the digits contract.
 *
 *     digits <contract.wasm> <model.onnx> <images> <selector in hexadecimal>
 *
 * `images` holds 65 bytes an image: its pixels and its label. For each, the contract is called with the selector
 * and the pixels as Solidity arguments, one to a word, and the class that it returns is printed.
 *
 * The chain keeps its state in one list that lives in memory; everything goes through the callbacks.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aivm.h"

/* One thing that the chain knows: kind, address and key lead to a value. */
struct entry {
    struct entry *next;
    enum AivmChangeKind kind;
    uint8_t address[20];
    uint8_t *key;
    size_t key_len;
    uint8_t *value;
    size_t value_len;
};

struct chain {
    struct entry *entries;
    uint64_t height;
    unsigned commits;
};

static void *copy(const void *data, size_t len) {
    void *to = malloc(len ? len : 1);
    if (!to) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    if (len) {
        memcpy(to, data, len);
    }
    return to;
}

static struct entry **find(struct chain *chain, enum AivmChangeKind kind, const uint8_t *address,
                           const uint8_t *key, size_t key_len) {
    struct entry **at = &chain->entries;
    for (; *at; at = &(*at)->next) {
        if ((*at)->kind == kind && memcmp((*at)->address, address, 20) == 0 &&
            (*at)->key_len == key_len && memcmp((*at)->key, key, key_len) == 0) {
            break;
        }
    }
    return at;
}

static void drop(struct entry **at) {
    struct entry *gone = *at;
    if (gone) {
        *at = gone->next;
        free(gone->key);
        free(gone->value);
        free(gone);
    }
}

static const uint8_t nobody[20];

static int32_t look(void *user, enum AivmChangeKind kind, const uint8_t *address,
                    const uint8_t *key, size_t key_len, struct entry **found) {
    *found = *find(user, kind, address, key, key_len);
    return *found != NULL;
}

static void block(void *user, struct AivmBlock *block) {
    struct chain *chain = user;
    block->chain_id = 7;
    block->number = chain->height;
    block->timestamp = 1000 + chain->height;
    block->network = "c-example";
}

static int32_t storage_get(void *user, const uint8_t *contract, const uint8_t *key, size_t key_len,
                           struct AivmSink *value) {
    struct entry *found;
    if (!look(user, AIVM_CHANGE_KIND_STORAGE_SET, contract, key, key_len, &found)) {
        return 0;
    }
    aivm_sink_write(value, found->value, found->value_len);
    return 1;
}

static int32_t balance(void *user, const uint8_t *address, uint8_t *balance) {
    struct entry *found;
    if (look(user, AIVM_CHANGE_KIND_BALANCE, address, nobody, 0, &found)) {
        memcpy(balance, found->value, 32);
    }
    return 0;
}

static int32_t contract(void *user, const uint8_t *address, uint8_t *code) {
    struct entry *found;
    if (!look(user, AIVM_CHANGE_KIND_CONTRACT, address, nobody, 0, &found)) {
        return 0;
    }
    memcpy(code, found->value, 32);
    return 1;
}

static int32_t code(void *user, const uint8_t *hash, struct AivmSink *module) {
    struct entry *found;
    if (!look(user, AIVM_CHANGE_KIND_CODE, nobody, hash, 32, &found)) {
        return 0;
    }
    aivm_sink_write(module, found->value, found->value_len);
    return 1;
}

static int32_t model(void *user, const uint8_t *hash, struct AivmSink *file) {
    struct entry *found;
    if (!look(user, AIVM_CHANGE_KIND_MODEL, nobody, hash, 32, &found)) {
        return 0;
    }
    aivm_sink_write(file, found->value, found->value_len);
    return 1;
}

static int32_t commit(void *user, const struct AivmChange *changes, size_t count) {
    struct chain *chain = user;
    for (size_t i = 0; i < count; i++) {
        const struct AivmChange *change = &changes[i];
        int removes = change->kind == AIVM_CHANGE_KIND_STORAGE_REMOVE;
        enum AivmChangeKind kind = removes ? AIVM_CHANGE_KIND_STORAGE_SET : change->kind;
        drop(find(chain, kind, change->address, change->key.data, change->key.len));
        if (removes) {
            continue;
        }
        struct entry *entry = copy(&(struct entry){.next = chain->entries, .kind = kind}, sizeof *entry);
        memcpy(entry->address, change->address, 20);
        entry->key = copy(change->key.data, change->key.len);
        entry->key_len = change->key.len;
        entry->value = copy(change->value.data, change->value.len);
        entry->value_len = change->value.len;
        chain->entries = entry;
    }
    chain->commits++;
    return 0;
}

static void check(enum AivmCode code, const char *what) {
    if (code != AIVM_CODE_OK) {
        fprintf(stderr, "%s: %s (code %d)\n", what, aivm_error_message(), (int)code);
        exit(1);
    }
}

static uint8_t *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    *len = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*len ? *len : 1);
    if (!bytes || fread(bytes, 1, *len, file) != *len) {
        perror(path);
        exit(2);
    }
    fclose(file);
    return bytes;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: %s <contract.wasm> <model.onnx> <images> <selector>\n", argv[0]);
        return 2;
    }
    size_t module_len, file_len, images_len;
    uint8_t *module = read_file(argv[1], &module_len);
    uint8_t *file = read_file(argv[2], &file_len);
    uint8_t *images = read_file(argv[3], &images_len);

    struct chain chain = {.height = 1};
    struct AivmCallbacks callbacks = {&chain, block, storage_get, balance, contract, code, model, commit, NULL};
    struct AivmVm *vm = NULL;
    struct AivmHost *host = NULL;
    check(aivm_vm_new(&vm), "new vm");
    check(aivm_host_new(&callbacks, &host), "new host");

    struct AivmDeploy deploy = {.from = {0xa1}};
    uint8_t model_hash[32], address[20];
    check(aivm_register_model(vm, host, file, file_len, model_hash, NULL), "model");
    check(aivm_upload(vm, host, module, module_len, deploy.code, NULL), "upload");
    struct AivmReceipt *receipt = NULL;
    check(aivm_deploy(vm, host, &deploy, address, &receipt), "deploy");
    if (aivm_receipt_status(receipt) != AIVM_STATUS_RETURN) {
        fprintf(stderr, "the constructor failed\n");
        return 1;
    }
    aivm_receipt_free(receipt);

    uint8_t input[4 + 64 * 32] = {0};
    for (int i = 0; i < 4; i++) {
        unsigned byte;
        if (sscanf(argv[4] + 2 * i, "%2x", &byte) != 1) {
            fprintf(stderr, "the selector has 8 hexadecimal digits\n");
            return 2;
        }
        input[i] = (uint8_t)byte;
    }
    struct AivmCall call = {.from = {0xa1}, .input = {input, sizeof input}};
    memcpy(call.to, address, 20);
    for (size_t image = 0; image + 65 <= images_len; image += 65) {
        for (size_t pixel = 0; pixel < 64; pixel++) {
            input[4 + 32 * pixel + 31] = images[image + pixel];
        }
        chain.height++;
        check(aivm_call(vm, host, &call, &receipt), "call");
        struct AivmBytes output = aivm_receipt_output(receipt);
        struct AivmGas gas;
        check(aivm_receipt_gas(receipt, &gas), "gas");
        uint8_t hash[32];
        check(aivm_receipt_hash(receipt, hash), "hash");
        printf("class %d status %d gas %llu inference %llu events %zu receipt ",
               output.len == 32 ? output.data[31] : -1, (int)aivm_receipt_status(receipt),
               (unsigned long long)gas.total, (unsigned long long)gas.inference,
               aivm_receipt_event_count(receipt));
        for (int i = 0; i < 32; i++) {
            printf("%02x", hash[i]);
        }
        puts("");
        aivm_receipt_free(receipt);
    }
    printf("commits %u\n", chain.commits);

    aivm_host_free(host);
    aivm_vm_free(vm);
    while (chain.entries) {
        drop(&chain.entries);
    }
    free(module);
    free(file);
    free(images);
    return 0;
}
