/* A chain's store for the examples: everything in one list that lives in memory, and the callbacks on it. */
#ifndef STORE_H
#define STORE_H

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

static void free_chain(struct chain *chain) {
    while (chain->entries) {
        drop(&chain->entries);
    }
}

#endif
