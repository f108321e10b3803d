/* A chain in C that runs the digits contract.
 *
 *     digits <contract.wasm> <model.onnx> <images> <selector in hexadecimal>
 *
 * `images` holds 65 bytes an image: its pixels and its label. For each, the contract is called with the selector
 * and the pixels as Solidity arguments, one to a word, and the class that it returns is printed.
 *
 * The chain keeps its state in memory, see store.h; everything goes through the callbacks.
 */
#include "store.h"

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
    free_chain(&chain);
    free(module);
    free(file);
    free(images);
    return 0;
}
