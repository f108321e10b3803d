/* AIVM: a deterministic, metered virtual machine. Made from the Rust sources of aivm-capi; do not edit. */

#ifndef AIVM_H
#define AIVM_H

#include <stddef.h>
#include <stdint.h>

// Why a function failed; 0 is success.
enum AivmCode
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // It worked.
  AIVM_CODE_OK = 0,
  // The module is refused.
  AIVM_CODE_INVALID_MODULE = 1,
  // The module lacks what a contract exports.
  AIVM_CODE_NOT_A_CONTRACT = 2,
  // The model is refused.
  AIVM_CODE_INVALID_MODEL = 3,
  // The request costs more before it runs than it may.
  AIVM_CODE_GAS_LIMIT_TOO_LOW = 4,
  // The gas limit is 2^63 or more.
  AIVM_CODE_GAS_LIMIT_TOO_HIGH = 5,
  // The call data is too long.
  AIVM_CODE_INPUT_TOO_LONG = 6,
  // There is no contract at the address.
  AIVM_CODE_NO_CONTRACT = 7,
  // The chain has no code with the hash.
  AIVM_CODE_UNKNOWN_CODE = 8,
  // There is a contract at the address already.
  AIVM_CODE_ADDRESS_IN_USE = 9,
  // The sender has less than it sends.
  AIVM_CODE_INSUFFICIENT_BALANCE = 10,
  // The chain gave other code than was asked for.
  AIVM_CODE_CODE_MISMATCH = 11,
  // The chain gave another model than was asked for.
  AIVM_CODE_MODEL_MISMATCH = 12,
  // Code on the chain is refused by the schedule in force.
  AIVM_CODE_STORED_CODE = 13,
  // A callback failed.
  AIVM_CODE_HOST = 14,
  // A callback of a Rust host panicked.
  AIVM_CODE_HOST_PANIC = 15,
  // The engine failed.
  AIVM_CODE_ENGINE = 16,
  // An inference failed.
  AIVM_CODE_INFERENCE = 17,
  // The configuration is unusable.
  AIVM_CODE_CONFIG = 18,
  // The transaction needs more PQ-Gas than its block has left.
  AIVM_CODE_BLOCK_FULL = 19,
  // The effects are committed, but `state_root` failed afterwards, so there is no receipt.
  AIVM_CODE_COMMITTED = 20,
  // The chain's bytes of a model that was registered are no model any more.
  AIVM_CODE_STORED_MODEL = 21,
  // A failure that this header does not know.
  AIVM_CODE_OTHER = 99,
  // A pointer that must not be null is null.
  AIVM_CODE_NULL = 100,
  // A text is not UTF-8.
  AIVM_CODE_UTF8 = 101,
  // A callback is missing.
  AIVM_CODE_CALLBACK = 102,
  // There is no item with this index.
  AIVM_CODE_INDEX = 103,
  // A defect of the library; the handles that took part should be freed.
  AIVM_CODE_PANIC = 104,
  // A length is more than there can be in memory, or a structure has a size that this library does not know.
  AIVM_CODE_LENGTH = 105,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum AivmCode AivmCode;
#else
typedef int32_t AivmCode;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a change of state is about.
enum AivmChangeKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // `address` now has `value` under `key`.
  AIVM_CHANGE_KIND_STORAGE_SET = 1,
  // `address` has nothing under `key` any more.
  AIVM_CHANGE_KIND_STORAGE_REMOVE = 2,
  // The balance of `address` is now `value`, 32 bytes, most significant first.
  AIVM_CHANGE_KIND_BALANCE = 3,
  // There is a contract at `address` now; `value` is the hash of its code.
  AIVM_CHANGE_KIND_CONTRACT = 4,
  // New code: `key` is its hash, `value` the module.
  AIVM_CHANGE_KIND_CODE = 5,
  // A new model: `key` is its hash, `value` the file.
  AIVM_CHANGE_KIND_MODEL = 6,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum AivmChangeKind AivmChangeKind;
#else
typedef int32_t AivmChangeKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How a call ended.
enum AivmStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The contract returned; its effects are committed.
  AIVM_STATUS_RETURN = 0,
  // The contract reverted; its effects are undone.
  AIVM_STATUS_REVERT = 1,
  // The sandbox stopped it; its effects are undone and all gas is spent.
  AIVM_STATUS_TRAP = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum AivmStatus AivmStatus;
#else
typedef int32_t AivmStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The PQ-Gas lane of one block: what its transactions may use together.
//
// A transaction that needs more than is left is refused with `AIVM_CODE_BLOCK_FULL` and changes nothing; it waits for a
// later block. So a receipt never depends on how full a block was.
typedef struct AivmBlockPqGas AivmBlockPqGas;

// Entries of a contract's storage.
typedef struct AivmEntries AivmEntries;

// Where the callback `storage_range` puts entries, with `aivm_entry_write`.
typedef struct AivmEntrySink AivmEntrySink;

// A chain.
typedef struct AivmHost AivmHost;

// A receipt.
typedef struct AivmReceipt AivmReceipt;

// Where a callback puts bytes, with `aivm_sink_write`.
typedef struct AivmSink AivmSink;

// A virtual machine with its caches; threads may share it.
typedef struct AivmVm AivmVm;

// The block that calls run in.
typedef struct AivmBlock {
  // Number of the chain.
  uint64_t chain_id;
  // Height of the block; it selects the gas schedule.
  uint64_t number;
  // Time of the block, seconds since the Unix epoch.
  uint64_t timestamp;
  // Name of the network, UTF-8 and ended by a zero byte; null for none.
  const char *network;
} AivmBlock;

// Bytes that somebody else owns.
typedef struct AivmBytes {
  // The first byte; may be null when there are none.
  const uint8_t *data;
  // How many.
  size_t len;
} AivmBytes;

// One change of state. The bytes live until the callback returns.
typedef struct AivmChange {
  // What it is about.
  AivmChangeKind kind;
  // The contract or account; zero for code and models.
  uint8_t address[20];
  // See the kind.
  struct AivmBytes key;
  // See the kind.
  struct AivmBytes value;
} AivmChange;

// A chain, told to the VM by callbacks; `AivmOptionalCallbacks` are more. All but `state_root` must be there.
//
// Lookups give 1 when there is something, 0 when there is not, and a negative number when the
// chain's store failed. The others give 0, or a negative number for a failure.
// Answers must be the same on every node. During a call the VM only reads; all effects come in
// one `commit`, to be applied as a whole or not at all. Callbacks must not unwind or jump over the library, nor use the
// host that they serve.
typedef struct AivmCallbacks {
  // Given to each callback.
  void *user;
  // Tells the block that calls run in.
  void (*block)(void *user, struct AivmBlock *block);
  // Value under a key of a contract.
  int32_t (*storage_get)(void *user,
                         const uint8_t *contract,
                         const uint8_t *key,
                         size_t key_len,
                         struct AivmSink *value);
  // Balance of an account, 32 bytes, most significant first; zero when there is no account.
  int32_t (*balance)(void *user, const uint8_t *address, uint8_t *balance);
  // Code hash of the contract at an address, 32 bytes.
  int32_t (*contract)(void *user, const uint8_t *address, uint8_t *code);
  // Module with a code hash.
  int32_t (*code)(void *user, const uint8_t *code, struct AivmSink *module);
  // Model file with a hash.
  int32_t (*model)(void *user, const uint8_t *model, struct AivmSink *file);
  // Applies all changes, or none of them.
  int32_t (*commit)(void *user, const struct AivmChange *changes, size_t count);
  // Root of the state, 32 bytes, for chains that have one; may be null.
  int32_t (*state_root)(void *user, uint8_t *root);
} AivmCallbacks;

// What is known of a message from another chain, beside its sender and its payload.
typedef struct AivmInboxMessage {
  // Number of the chain that it comes from.
  uint64_t source_chain;
  // Number of the chain that it was sent to; on any other there is no such message.
  uint64_t destination;
  // The contract that it is for; no other gets it.
  uint8_t recipient[20];
} AivmInboxMessage;

// A call of one of the chain's own functions by a contract. The bytes live until the callback returns.
typedef struct AivmExtensionCall {
  // Name of the function, UTF-8, chosen by the contract.
  struct AivmBytes name;
  // Arguments, in the Solidity ABI by convention.
  struct AivmBytes arguments;
  // The contract that calls.
  uint8_t contract[20];
  // Who called the contract.
  uint8_t caller[20];
  // 1 when the call may not change state, else 0.
  uint8_t read_only;
} AivmExtensionCall;

// More of a chain, as far as it has it; a callback that is null is as if the chain had nothing of the kind. Codes are
// those of `AivmCallbacks`, and so is `user`.
//
// The structure grows with the library: `size` tells which of it the program knows.
typedef struct AivmOptionalCallbacks {
  // `sizeof(struct AivmOptionalCallbacks)` where the program was compiled.
  size_t size;
  // Whether the chain has the code with a hash, 32 bytes; asked for each deployment. Without it `code` is asked,
  // which copies the module.
  int32_t (*has_code)(void *user, const uint8_t *code);
  // Whether the chain has the model with a hash, 32 bytes; asked for each quote and inference of a model that the VM
  // holds already. Without it `model` is asked, which copies the file.
  int32_t (*has_model)(void *user, const uint8_t *model);
  // Hash of the model that the chain has given a name, 32 bytes. The name is UTF-8 and does not end with a zero byte; a
  // contract chose it. Without the callback models have no names.
  int32_t (*model_named)(void *user, const uint8_t *name, size_t name_len, uint8_t *model);
  // The message with an identifier of 32 bytes that arrived from another chain and was verified. Each message of each
  // chain has an identifier of its own. The VM lets each be consumed once, so the chain need not forget it. The chain
  // bounds the length of what it takes in: contracts pay for reading it by its bytes, and the VM copies all of it. Without
  // the callback no message ever arrives.
  int32_t (*inbox_message)(void *user,
                           const uint8_t *id,
                           struct AivmInboxMessage *message,
                           struct AivmSink *sender,
                           struct AivmSink *payload);
  // Price of a call of one of the chain's own functions, in gas: 1 and the price, or 0 when the chain has no function
  // of the name. It may depend on the call alone, so it cannot fail: whatever is not 1 counts as 0.
  int32_t (*extension_gas)(void *user, const struct AivmExtensionCall *call, uint64_t *gas);
  // Runs one of the chain's own functions, when the price was paid. 1: it returned, with the bytes in the sink; 0: it
  // reverted with them, which the contract sees; negative: the chain failed. Goes with `extension_gas`.
  int32_t (*extension)(void *user, const struct AivmExtensionCall *call, struct AivmSink *output);
  // A line that a contract wrote for people, UTF-8 that does not end with a zero byte; control characters and all, a
  // contract chose it. Lines come from queries, estimates and calls that fail as well, and at once. Nothing may depend
  // on them. Without the callback they are dropped.
  void (*debug_log)(void *user, const uint8_t *contract, const uint8_t *message, size_t message_len);
  // Up to `limit` entries of a contract's storage with keys from `from` on, in ascending order of the keys' bytes, with
  // `aivm_entry_write`. 0, or negative: the chain failed. `aivm_host_storage_range` asks for it, and nothing else.
  int32_t (*storage_range)(void *user,
                           const uint8_t *contract,
                           const uint8_t *from,
                           size_t from_len,
                           size_t limit,
                           struct AivmEntrySink *entries);
} AivmOptionalCallbacks;

// A call.
typedef struct AivmCall {
  // Who calls and pays.
  uint8_t from[20];
  // The contract.
  uint8_t to[20];
  // Call data.
  struct AivmBytes input;
  // Native value to send, most significant byte first.
  uint8_t value[32];
  // Gas limit; 0 stands for the default of 100,000,000.
  uint64_t gas_limit;
  // Hash of the transaction, for the receipt.
  uint8_t tx_hash[32];
} AivmCall;

// A deployment.
typedef struct AivmDeploy {
  // Who deploys and pays.
  uint8_t from[20];
  // Hash of the code, as `aivm_upload` gave it.
  uint8_t code[32];
  // Part of the address, so that one sender can deploy the same code twice.
  uint8_t salt[32];
  // Arguments of the constructor.
  struct AivmBytes input;
  // Native value to send, most significant byte first.
  uint8_t value[32];
  // Gas limit; 0 stands for the default of 100,000,000.
  uint64_t gas_limit;
} AivmDeploy;

// Gas by lane and cause.
typedef struct AivmGas {
  // All but PQ-Gas.
  uint64_t total;
  // Instructions, frames, memory.
  uint64_t execution;
  // Host calls.
  uint64_t host;
  // Storage.
  uint64_t storage;
  // Neural networks.
  uint64_t inference;
  // PQ-Gas, a lane of its own.
  uint64_t pq;
} AivmGas;

// An event. The bytes live as long as the receipt.
typedef struct AivmEvent {
  // The contract that told it.
  uint8_t contract[20];
  // Topics of 32 bytes each, one after the other.
  struct AivmBytes topics;
  // The rest.
  struct AivmBytes data;
} AivmEvent;

// A message to another chain. The bytes live as long as the receipt.
typedef struct AivmSentMessage {
  // Its identifier: what a receiving chain of the AIVM delivers it under.
  uint8_t id[32];
  // The contract that sent it.
  uint8_t contract[20];
  // Number of the chain that it goes to.
  uint64_t destination;
  // Its number among the messages of the contract to that chain, from 0.
  uint64_t sequence;
  // Who receives it, as that chain writes addresses.
  struct AivmBytes recipient;
  // What is sent.
  struct AivmBytes payload;
} AivmSentMessage;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Message of the last failure on this thread, empty when there was none. It lives until the
// next call on this thread that fails.
const char *aivm_error_message(void);

// Puts bytes at the end of what the sink has. A write from a null pointer, or of more bytes than there can be, makes
// the callback one that failed.
//
// # Safety
//
// `sink` is the one that a callback was given, and the callback has not returned; `len` bytes can be read at `data`.
void aivm_sink_write(struct AivmSink *sink,
                     const uint8_t *data,
                     size_t len);

// Makes a chain in memory, for tests and experiments.
struct AivmHost *aivm_host_new_memory(void);

// Makes a chain that asks callbacks.
//
// # Safety
//
// `callbacks` and `host` can be read and written; the callbacks can be called until the host is freed.
AivmCode aivm_host_new(const struct AivmCallbacks *callbacks,
                       struct AivmHost **host);

// Gives a chain behind callbacks more of them; those that are null, or were given before and now are null, are as if
// they had never been there.
//
// # Safety
//
// `host` can be used, `optional` can be read for `optional->size` bytes, and the callbacks can be called until the host
// is freed.
AivmCode aivm_host_set_optional(struct AivmHost *host,
                                const struct AivmOptionalCallbacks *optional);

// Frees a chain.
//
// # Safety
//
// `host` was made by this library and is not used again.
void aivm_host_free(struct AivmHost *host);

// Sets the block of a chain in memory.
//
// # Safety
//
// The pointers can be used; `network` is null or ends with a zero byte.
AivmCode aivm_host_set_block(struct AivmHost *host, const struct AivmBlock *block);

// Sets a balance on a chain in memory: address of 20 bytes, balance of 32, most significant first.
//
// # Safety
//
// The pointers can be read for that many bytes.
AivmCode aivm_host_set_balance(struct AivmHost *host,
                               const uint8_t *address,
                               const uint8_t *balance);

// Puts a message into the inbox of a chain in memory, under an identifier of 32 bytes, as if it had arrived and been
// verified.
//
// # Safety
//
// The pointers can be read for that many bytes.
AivmCode aivm_host_deliver(struct AivmHost *host,
                           const uint8_t *id,
                           const struct AivmInboxMessage *message,
                           struct AivmBytes sender,
                           struct AivmBytes payload);

// Gives a model of a chain in memory a name: UTF-8 and ended by a zero byte; and its hash, 32 bytes.
//
// # Safety
//
// The pointers can be read for that many bytes.
AivmCode aivm_host_name_model(struct AivmHost *host,
                              const char *name,
                              const uint8_t *model);

// Hash of the whole state of a chain in memory, 32 bytes.
//
// # Safety
//
// The pointers can be used.
AivmCode aivm_host_state_hash(struct AivmHost *host, uint8_t *hash);

// Opens the lane of the block that the chain is in, with nothing used.
//
// # Safety
//
// The pointers can be used.
AivmCode aivm_block_new(const struct AivmVm *vm,
                        struct AivmHost *host,
                        struct AivmBlockPqGas **block);

// PQ-Gas that the block may use. A null pointer has none.
//
// # Safety
//
// `block` is null or was not freed.
uint64_t aivm_block_pq_gas_limit(const struct AivmBlockPqGas *block);

// PQ-Gas that is left to the block. A null pointer has none.
//
// # Safety
//
// `block` is null or was not freed.
uint64_t aivm_block_pq_gas_left(const struct AivmBlockPqGas *block);

// Frees a lane.
//
// # Safety
//
// `block` was made by this library and is not used again.
void aivm_block_free(struct AivmBlockPqGas *block);

// As `aivm_call`, in a block.
//
// # Safety
//
// The pointers can be used.
AivmCode aivm_call_in_block(const struct AivmVm *vm,
                            struct AivmHost *host,
                            const struct AivmCall *call,
                            struct AivmBlockPqGas *block,
                            struct AivmReceipt **receipt);

// As `aivm_deploy`, in a block.
//
// # Safety
//
// The pointers can be used.
AivmCode aivm_deploy_in_block(const struct AivmVm *vm,
                              struct AivmHost *host,
                              const struct AivmDeploy *deploy,
                              struct AivmBlockPqGas *block,
                              uint8_t *address,
                              struct AivmReceipt **receipt);

// How the call ended. A null receipt counts as a trap.
//
// # Safety
//
// `receipt` is null or a receipt that was not freed.
AivmStatus aivm_receipt_status(const struct AivmReceipt *receipt);

// Number of the trap, as receipts have it; 0 when there was none.
//
// # Safety
//
// As for `aivm_receipt_status`.
uint32_t aivm_receipt_trap(const struct AivmReceipt *receipt);

// Return data or revert data. It lives as long as the receipt.
//
// # Safety
//
// As for `aivm_receipt_status`.
struct AivmBytes aivm_receipt_output(const struct AivmReceipt *receipt);

// The canonical bytes, of which the hash is taken. They live as long as the receipt.
//
// # Safety
//
// As for `aivm_receipt_status`.
struct AivmBytes aivm_receipt_bytes(const struct AivmReceipt *receipt);

// Writes the hash of the receipt, 32 bytes: what nodes compare.
//
// # Safety
//
// As for `aivm_receipt_status`; there is room for 32 bytes at `hash`.
AivmCode aivm_receipt_hash(const struct AivmReceipt *receipt, uint8_t *hash);

// Writes the gas that was used.
//
// # Safety
//
// The pointers can be used.
AivmCode aivm_receipt_gas(const struct AivmReceipt *receipt, struct AivmGas *gas);

// How many events there are.
//
// # Safety
//
// As for `aivm_receipt_status`.
size_t aivm_receipt_event_count(const struct AivmReceipt *receipt);

// Writes an event by its index, from 0.
//
// # Safety
//
// The pointers can be used.
AivmCode aivm_receipt_event(const struct AivmReceipt *receipt,
                            size_t index,
                            struct AivmEvent *event);

// How many messages to other chains there are; a call that did not return has sent none.
//
// # Safety
//
// As for `aivm_receipt_status`.
size_t aivm_receipt_message_count(const struct AivmReceipt *receipt);

// Writes a message to another chain by its index, from 0.
//
// # Safety
//
// The pointers can be used.
AivmCode aivm_receipt_message(const struct AivmReceipt *receipt,
                              size_t index,
                              struct AivmSentMessage *message);

// Frees a receipt.
//
// # Safety
//
// `receipt` was made by this library and is not used again.
void aivm_receipt_free(struct AivmReceipt *receipt);

// Makes a virtual machine with the default configuration.
//
// # Safety
//
// `vm` can be written.
AivmCode aivm_vm_new(struct AivmVm **vm);

// Frees a virtual machine.
//
// # Safety
//
// `vm` was made by this library and is not used again.
void aivm_vm_free(struct AivmVm *vm);

// Checks a module and puts it on the chain. Writes its hash, 32 bytes, and what the upload costs.
//
// # Safety
//
// The pointers can be used; `gas` may be null.
AivmCode aivm_upload(const struct AivmVm *vm,
                     struct AivmHost *host,
                     const uint8_t *module,
                     size_t module_len,
                     uint8_t *code,
                     uint64_t *gas);

// Checks a model and puts it on the chain. Writes its hash, 32 bytes, and what the registration costs.
//
// # Safety
//
// The pointers can be used; `gas` may be null.
AivmCode aivm_register_model(const struct AivmVm *vm,
                             struct AivmHost *host,
                             const uint8_t *file,
                             size_t file_len,
                             uint8_t *model,
                             uint64_t *gas);

// Deploys a contract. Writes its address, 20 bytes, and the receipt.
//
// A contract whose constructor reverts or traps is no failure of this function: the receipt says so.
//
// # Safety
//
// The pointers can be used.
AivmCode aivm_deploy(const struct AivmVm *vm,
                     struct AivmHost *host,
                     const struct AivmDeploy *deploy,
                     uint8_t *address,
                     struct AivmReceipt **receipt);

// Calls a contract and commits what it did.
//
// A call that reverts or traps is no failure of this function: the receipt says so.
//
// # Safety
//
// The pointers can be used.
AivmCode aivm_call(const struct AivmVm *vm,
                   struct AivmHost *host,
                   const struct AivmCall *call,
                   struct AivmReceipt **receipt);

// Calls a contract that may only read.
//
// # Safety
//
// The pointers can be used.
AivmCode aivm_query(const struct AivmVm *vm,
                    struct AivmHost *host,
                    const struct AivmCall *call,
                    struct AivmReceipt **receipt);

// Runs a call, keeps none of its effects, and writes a gas limit that is enough for it.
//
// # Safety
//
// The pointers can be used.
AivmCode aivm_estimate(const struct AivmVm *vm,
                       struct AivmHost *host,
                       const struct AivmCall *call,
                       uint64_t *gas_limit);

// Puts an entry behind those that the sink has. Keys ascend in the order of their bytes, from the one that was asked for
// on; a write out of order, of more entries than were asked for, or from a null pointer makes the callback one that
// failed, and further writes do nothing.
//
// # Safety
//
// `sink` is the one that a callback was given, and the callback has not returned; key and value can be read.
void aivm_entry_write(struct AivmEntrySink *sink,
                      struct AivmBytes key,
                      struct AivmBytes value);

// Lists the storage of a contract, address of 20 bytes: up to `limit` entries with keys from `from` on, in ascending order
// of the keys' bytes. For the next ones go on from the last key with a zero byte behind it. Contracts cannot do this, and
// no call needs it; a chain behind callbacks must have the optional one `storage_range`.
//
// # Safety
//
// The pointers can be used, and `from` can be read.
AivmCode aivm_host_storage_range(struct AivmHost *host,
                                 const uint8_t *contract,
                                 struct AivmBytes from,
                                 size_t limit,
                                 struct AivmEntries **entries);

// How many entries there are; 0 for null.
//
// # Safety
//
// `entries` is null or was not freed.
size_t aivm_entries_count(const struct AivmEntries *entries);

// An entry: its key and its value, which live as long as `entries`.
//
// # Safety
//
// The pointers can be used.
AivmCode aivm_entries_get(const struct AivmEntries *entries,
                          size_t index,
                          struct AivmBytes *key,
                          struct AivmBytes *value);

// Frees entries.
//
// # Safety
//
// `entries` is null, or was made by this library and is not used again.
void aivm_entries_free(struct AivmEntries *entries);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* AIVM_H */
