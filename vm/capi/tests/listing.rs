//! What a chain behind callbacks shows: the lines that contracts write for people, and what they have stored.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_void};
use std::mem::offset_of;
use std::ptr;

use aivm_capi::callbacks::{AivmCallbacks, AivmChange, AivmChangeKind};
use aivm_capi::error::{AivmCode, aivm_error_message};
use aivm_capi::host::{
    AivmBlock, AivmBytes, AivmHost, AivmSink, aivm_host_free, aivm_host_new, aivm_host_new_memory,
    aivm_host_set_optional, aivm_sink_write,
};
use aivm_capi::optional::AivmOptionalCallbacks;
use aivm_capi::receipt::{
    AivmReceipt, AivmStatus, aivm_receipt_free, aivm_receipt_hash, aivm_receipt_status,
};
use aivm_capi::storage::{
    AivmEntries, AivmEntrySink, aivm_entries_count, aivm_entries_free, aivm_entries_get,
    aivm_entry_write, aivm_host_storage_range,
};
use aivm_capi::vm::{
    AivmCall, AivmDeploy, AivmVm, aivm_call, aivm_deploy, aivm_query, aivm_upload, aivm_vm_free,
    aivm_vm_new,
};

/// Writes its input to the log, and reverts when that begins with `!`.
const TALKER: &str = r#"(module
  (import "synergy:aivm/log@0.1.0" "debug" (func $debug (param i32 i32)))
  (memory (export "memory") 4)
  (global $heap (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.set $heap (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $talk (param $at i32) (param $length i32) (result i32)
    (call $debug (local.get $at) (local.get $length))
    (i32.store (i32.const 16) (i32.and (i32.ne (local.get $length) (i32.const 0))
      (i32.eq (i32.load8_u (local.get $at)) (i32.const 33))))
    (i32.const 16))
  (func (export "construct") (param i32 i32) (result i32) (i32.const 16))
  (export "call" (func $talk)) (export "query" (func $talk)))"#;

/// How the callback `storage_range` behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Honest,
    Fails,
    Odd,
    Generous,
    Backwards,
    Twice,
    FromBelow,
    NullKey,
    NullValue,
    Endless,
}

type Entry = (Vec<u8>, Vec<u8>);
type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

struct Chain {
    codes: BTreeMap<Vec<u8>, Vec<u8>>,
    contracts: BTreeMap<[u8; 20], Vec<u8>>,
    storage: BTreeMap<[u8; 20], Entries>,
    log: Vec<([u8; 20], Vec<u8>)>,
    mood: Mood,
    /// How often a range was asked for.
    asked: usize,
}

impl Chain {
    fn new() -> Self {
        Self {
            codes: BTreeMap::new(),
            contracts: BTreeMap::new(),
            storage: BTreeMap::new(),
            log: Vec::new(),
            mood: Mood::Honest,
            asked: 0,
        }
    }
}

/// What the callbacks are given.
unsafe fn chain<'a>(user: *mut c_void) -> &'a mut Chain {
    // SAFETY: each test gives its chain, and uses it only between calls.
    unsafe { &mut *user.cast::<Chain>() }
}

unsafe fn bytes<'a>(data: *const u8, len: usize) -> &'a [u8] {
    match len {
        0 => &[],
        // SAFETY: the library's promise.
        _ => unsafe { std::slice::from_raw_parts(data, len) },
    }
}

unsafe fn address(at: *const u8) -> [u8; 20] {
    // SAFETY: the library's promise.
    unsafe { at.cast::<[u8; 20]>().read() }
}

unsafe extern "C" fn block(_: *mut c_void, _: *mut AivmBlock) {}
unsafe extern "C" fn storage_get(
    _: *mut c_void,
    _: *const u8,
    _: *const u8,
    _: usize,
    _: *mut AivmSink,
) -> i32 {
    0
}
unsafe extern "C" fn balance(_: *mut c_void, _: *const u8, _: *mut u8) -> i32 {
    0
}
unsafe extern "C" fn contract(user: *mut c_void, at: *const u8, code: *mut u8) -> i32 {
    // SAFETY: the library's promise: 20 bytes there, room for 32 here.
    unsafe {
        match chain(user).contracts.get(&address(at)) {
            None => 0,
            Some(hash) => {
                ptr::copy_nonoverlapping(hash.as_ptr(), code, 32);
                1
            }
        }
    }
}
unsafe extern "C" fn code(user: *mut c_void, hash: *const u8, module: *mut AivmSink) -> i32 {
    // SAFETY: the library's promise.
    unsafe {
        match chain(user).codes.get(bytes(hash, 32)) {
            None => 0,
            Some(code) => {
                aivm_sink_write(module, code.as_ptr(), code.len());
                1
            }
        }
    }
}
unsafe extern "C" fn model(_: *mut c_void, _: *const u8, _: *mut AivmSink) -> i32 {
    0
}
unsafe extern "C" fn commit(user: *mut c_void, changes: *const AivmChange, count: usize) -> i32 {
    for index in 0..count {
        // SAFETY: the library's promise.
        unsafe {
            let change = &*changes.add(index);
            let (key, value) = (change.key, change.value);
            let (key, value) = (
                bytes(key.data, key.len),
                bytes(value.data, value.len).to_vec(),
            );
            match change.kind {
                AivmChangeKind::Code => drop(chain(user).codes.insert(key.to_vec(), value)),
                AivmChangeKind::Contract => {
                    drop(chain(user).contracts.insert(change.address, value));
                }
                _ => return -1,
            }
        }
    }
    0
}

unsafe extern "C" fn debug_log(user: *mut c_void, at: *const u8, message: *const u8, len: usize) {
    // SAFETY: the library's promise.
    unsafe {
        let line = bytes(message, len).to_vec();
        chain(user).log.push((address(at), line));
    }
}

unsafe extern "C" fn storage_range(
    user: *mut c_void,
    at: *const u8,
    from: *const u8,
    from_len: usize,
    limit: usize,
    entries: *mut AivmEntrySink,
) -> i32 {
    // SAFETY: the library's promise.
    let (chain, at, from) = unsafe { (chain(user), address(at), bytes(from, from_len)) };
    chain.asked += 1;
    let write = |key: &[u8], value: &[u8]| {
        let of = |bytes: &[u8]| AivmBytes {
            data: bytes.as_ptr(),
            len: bytes.len(),
        };
        // SAFETY: the sink is the one that was given.
        unsafe { aivm_entry_write(entries, of(key), of(value)) };
    };
    let none = |len| AivmBytes {
        data: ptr::null(),
        len,
    };
    let all = chain.storage.get(&at).cloned().unwrap_or_default();
    let mut found: Vec<_> = all.range(from.to_vec()..).take(limit).collect();
    match chain.mood {
        Mood::Fails => {
            write(b"z", b"half");
            return -3;
        }
        Mood::Odd => return 1,
        Mood::Generous => found = all.range(from.to_vec()..).take(limit + 1).collect(),
        Mood::Backwards => found.reverse(),
        Mood::Twice => found = found.into_iter().flat_map(|entry| [entry, entry]).collect(),
        Mood::FromBelow => found = all.iter().take(limit).collect(),
        // SAFETY: the sink is the one that was given; what is not there is not read.
        Mood::NullKey => unsafe { aivm_entry_write(entries, none(1), none(0)) },
        // SAFETY: as above.
        Mood::NullValue => unsafe { aivm_entry_write(entries, none(0), none(1)) },
        Mood::Endless => {
            let endless = AivmBytes {
                data: entries.cast(),
                len: usize::MAX,
            };
            // SAFETY: as above.
            unsafe { aivm_entry_write(entries, endless, none(0)) }
        }
        Mood::Honest => {}
    }
    for (key, value) in found {
        write(key, value);
    }
    0
}

const OPTIONAL: AivmOptionalCallbacks = AivmOptionalCallbacks {
    size: size_of::<AivmOptionalCallbacks>(),
    has_code: None,
    has_model: None,
    model_named: None,
    inbox_message: None,
    extension_gas: None,
    extension: None,
    debug_log: Some(debug_log),
    storage_range: Some(storage_range),
};

const NOTHING: AivmBytes = AivmBytes {
    data: ptr::null(),
    len: 0,
};

fn host(chain: *mut Chain) -> *mut AivmHost {
    let callbacks = AivmCallbacks {
        user: chain.cast(),
        block: Some(block),
        storage_get: Some(storage_get),
        balance: Some(balance),
        contract: Some(contract),
        code: Some(code),
        model: Some(model),
        commit: Some(commit),
        state_root: None,
    };
    let mut host = ptr::null_mut();
    // SAFETY: what lives to the end of the call.
    let code = unsafe { aivm_host_new(&raw const callbacks, &raw mut host) };
    assert_eq!(code, AivmCode::Ok);
    host
}

fn set(host: *mut AivmHost, optional: &AivmOptionalCallbacks) {
    // SAFETY: a handle that was not freed, and what lives to the end of the call.
    let code = unsafe { aivm_host_set_optional(host, optional) };
    assert_eq!(code, AivmCode::Ok);
}

fn message() -> String {
    // SAFETY: the library ends its messages with a zero byte.
    let text = unsafe { CStr::from_ptr(aivm_error_message()) };
    text.to_str().unwrap().to_owned()
}

/// Status and hash.
fn read(receipt: *mut AivmReceipt) -> (AivmStatus, [u8; 32]) {
    let mut hash = [0; 32];
    // SAFETY: a receipt that was not freed, and is not used again.
    unsafe {
        assert_eq!(aivm_receipt_hash(receipt, hash.as_mut_ptr()), AivmCode::Ok);
        let status = aivm_receipt_status(receipt);
        aivm_receipt_free(receipt);
        (status, hash)
    }
}

fn deploy(vm: *const AivmVm, host: *mut AivmHost) -> [u8; 20] {
    let wasm = wat::parse_str(TALKER).unwrap();
    let mut deploy = AivmDeploy {
        from: [1; 20],
        code: [0; 32],
        salt: [0; 32],
        input: NOTHING,
        value: [0; 32],
        gas_limit: 0,
    };
    let (mut at, mut receipt) = ([0; 20], ptr::null_mut());
    // SAFETY: handles that were not freed, and what lives to the end of the calls.
    unsafe {
        let to = deploy.code.as_mut_ptr();
        let code = aivm_upload(vm, host, wasm.as_ptr(), wasm.len(), to, ptr::null_mut());
        assert_eq!(code, AivmCode::Ok, "{}", message());
        let code = aivm_deploy(
            vm,
            host,
            &raw const deploy,
            at.as_mut_ptr(),
            &raw mut receipt,
        );
        assert_eq!(code, AivmCode::Ok, "{}", message());
    }
    assert_eq!(read(receipt).0, AivmStatus::Return);
    at
}

#[test]
fn lines_arrive_whatever_becomes_of_the_call_and_change_nothing() {
    let user = Box::into_raw(Box::new(Chain::new()));
    let (mut vm, host) = (ptr::null_mut(), host(user));
    // SAFETY: it can be written.
    assert_eq!(unsafe { aivm_vm_new(&raw mut vm) }, AivmCode::Ok);
    let at = deploy(vm, host);
    let run = |line: &[u8], query: bool| {
        let call = AivmCall {
            from: [1; 20],
            to: at,
            input: AivmBytes {
                data: line.as_ptr(),
                len: line.len(),
            },
            value: [0; 32],
            gas_limit: 0,
            tx_hash: [0; 32],
        };
        let mut receipt = ptr::null_mut();
        // SAFETY: handles that were not freed, and what lives to the end of the call.
        let code = unsafe {
            match query {
                true => aivm_query(vm, host, &raw const call, &raw mut receipt),
                false => aivm_call(vm, host, &raw const call, &raw mut receipt),
            }
        };
        assert_eq!(code, AivmCode::Ok, "{}", message());
        read(receipt)
    };
    let long = "ü".repeat(30_000);
    let cases: [(&[u8], bool, AivmStatus, bool); 7] = [
        (b"hello", false, AivmStatus::Return, true),
        (b"asked", true, AivmStatus::Return, true),
        (b"!no", false, AivmStatus::Revert, true),
        (b"", false, AivmStatus::Return, true),
        (b"a\0b\x1b[2J\n", false, AivmStatus::Return, true),
        (long.as_bytes(), false, AivmStatus::Return, true),
        // Not UTF-8: no line.
        (b"\xff", false, AivmStatus::Trap, false),
    ];
    let silent = AivmOptionalCallbacks {
        size: offset_of!(AivmOptionalCallbacks, debug_log),
        ..OPTIONAL
    };
    for (line, query, status, arrives) in cases {
        set(host, &silent);
        let without = run(line, query);
        // SAFETY: no call is running.
        let silence = unsafe { (*user).log.is_empty() };
        assert!(silence, "an older header has no such callback");
        set(host, &OPTIONAL);
        assert_eq!(run(line, query), without, "{line:?}");
        assert_eq!(without.0, status, "{line:?}");
        // SAFETY: no call is running.
        let log = unsafe { std::mem::take(&mut (*user).log) };
        let expected: Vec<([u8; 20], Vec<u8>)> = match arrives {
            true => vec![(at, line.to_vec())],
            false => Vec::new(),
        };
        assert_eq!(log, expected, "{line:?}");
    }
    // SAFETY: they are not used again.
    unsafe {
        aivm_host_free(host);
        aivm_vm_free(vm);
        drop(Box::from_raw(user));
    }
}

/// Entries, or code and message.
fn list(
    host: *mut AivmHost,
    at: &[u8; 20],
    from: &[u8],
    limit: usize,
) -> Result<Vec<Entry>, (AivmCode, String)> {
    let mut entries: *mut AivmEntries = ptr::null_mut();
    let from = AivmBytes {
        data: from.as_ptr(),
        len: from.len(),
    };
    // SAFETY: a handle that was not freed, and what lives to the end of the calls.
    unsafe {
        let code = aivm_host_storage_range(host, at.as_ptr(), from, limit, &raw mut entries);
        if code != AivmCode::Ok {
            assert!(entries.is_null(), "nothing is written on failure");
            return Err((code, message()));
        }
        let (mut key, mut value) = (NOTHING, NOTHING);
        let found = (0..aivm_entries_count(entries)).map(|index| {
            let code = aivm_entries_get(entries, index, &raw mut key, &raw mut value);
            assert_eq!(code, AivmCode::Ok);
            (
                bytes(key.data, key.len).to_vec(),
                bytes(value.data, value.len).to_vec(),
            )
        });
        let found = found.collect();
        let count = aivm_entries_count(entries);
        let code = aivm_entries_get(entries, count, &raw mut key, &raw mut value);
        assert_eq!(code, AivmCode::Index);
        let text = format!("there are {count} entries, none has index {count}");
        assert_eq!(message(), text);
        aivm_entries_free(entries);
        Ok(found)
    }
}

#[test]
fn storage_is_listed_in_order() {
    let user = Box::into_raw(Box::new(Chain::new()));
    let host = host(user);
    let at = [7; 20];
    let entry = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
    let all = [
        entry(b"", b"nothing"),
        entry(b"\x00", b""),
        entry(b"a", b"1"),
        entry(b"aa", b"2"),
        entry(b"\xff\xff", b"3"),
    ];
    // SAFETY: no call is running.
    unsafe { (*user).storage.insert(at, all.iter().cloned().collect()) };
    assert_eq!(
        list(host, &at, b"", 9),
        Err((
            AivmCode::Callback,
            "the callback `storage_range` is null".into()
        ))
    );
    set(host, &OPTIONAL);
    for (from, limit, expected) in [
        (&b""[..], 9, &all[..]),
        (b"", usize::MAX, &all),
        (b"", 5, &all),
        (b"", 2, &all[..2]),
        (b"", 0, &[]),
        (b"\x00", 9, &all[1..]),
        (b"a", 1, &all[2..3]),
        (b"a\0", 9, &all[3..]),
        (b"b", 9, &all[4..]),
        (b"\xff\xff\0", 9, &[]),
    ] {
        assert_eq!(list(host, &at, from, limit).unwrap(), expected, "{from:?}");
    }
    assert_eq!(list(host, &[8; 20], b"", 9), Ok(Vec::new()));
    // SAFETY: they are not used again.
    unsafe {
        aivm_host_free(host);
        drop(Box::from_raw(user));
    }
}

#[test]
fn listings_that_are_wrong_are_failures() {
    let user = Box::into_raw(Box::new(Chain::new()));
    let host = host(user);
    set(host, &OPTIONAL);
    let at = [7; 20];
    let entries = [b"a", b"b", b"c", b"d"].map(|key| (key.to_vec(), b"v".to_vec()));
    // SAFETY: no call is running.
    unsafe { (*user).storage.insert(at, entries.into_iter().collect()) };
    let wrote = "the host failed: the callback `storage_range` wrote what it has not: ";
    let follow = format!("{wrote}a key that does not follow");
    let endless = format!(
        "{wrote}`key.data` has {} bytes, more than there can be",
        usize::MAX
    );
    for (mood, text) in [
        (
            Mood::Fails,
            "the host failed: the callback `storage_range` gave -3".to_owned(),
        ),
        (
            Mood::Odd,
            "the host failed: the callback `storage_range` gave 1".to_owned(),
        ),
        (
            Mood::Generous,
            format!("{wrote}an entry more than the 2 asked for"),
        ),
        (Mood::Backwards, follow.clone()),
        (Mood::Twice, follow.clone()),
        (Mood::FromBelow, follow),
        (Mood::NullKey, format!("{wrote}`key.data` is null")),
        (Mood::NullValue, format!("{wrote}`value.data` is null")),
        (Mood::Endless, endless),
    ] {
        // SAFETY: no call is running.
        unsafe { (*user).mood = mood };
        let limit = if mood == Mood::Twice { 3 } else { 2 };
        assert_eq!(
            list(host, &at, b"b", limit),
            Err((AivmCode::Host, text)),
            "{mood:?}"
        );
    }
    // SAFETY: no call is running.
    unsafe {
        (*user).mood = Mood::Honest;
        (*user).asked = 0;
    }
    // The failure is forgotten.
    assert_eq!(list(host, &at, b"b", 2).unwrap().len(), 2);
    // SAFETY: pointers are null, as the test wants it, or of something that lives to the end of the call.
    unsafe {
        let mut to = ptr::null_mut();
        let none = AivmBytes {
            data: ptr::null(),
            len: 1,
        };
        let range = |host, at: *const u8, from, to| aivm_host_storage_range(host, at, from, 1, to);
        let here = at.as_ptr();
        assert_eq!(
            range(ptr::null_mut(), here, NOTHING, &raw mut to),
            AivmCode::Null
        );
        assert_eq!(
            range(host, ptr::null(), NOTHING, &raw mut to),
            AivmCode::Null
        );
        assert_eq!(range(host, here, none, &raw mut to), AivmCode::Null);
        assert_eq!(range(host, here, NOTHING, ptr::null_mut()), AivmCode::Null);
        assert!(to.is_null());
        assert_eq!((*user).asked, 1, "nobody was asked");
        aivm_entry_write(ptr::null_mut(), NOTHING, NOTHING);
        assert_eq!(aivm_entries_count(ptr::null()), 0);
        let (mut key, mut value) = (NOTHING, NOTHING);
        let code = aivm_entries_get(ptr::null(), 0, &raw mut key, &raw mut value);
        assert_eq!(code, AivmCode::Null);
        assert_eq!(range(host, here, NOTHING, &raw mut to), AivmCode::Ok);
        let code = aivm_entries_get(to, 0, ptr::null_mut(), &raw mut value);
        assert_eq!(code, AivmCode::Null);
        let code = aivm_entries_get(to, 0, &raw mut key, ptr::null_mut());
        assert_eq!(code, AivmCode::Null);
        aivm_entries_free(to);
        aivm_entries_free(ptr::null_mut());

        // A chain in memory lists what it has, which is nothing here.
        let memory = aivm_host_new_memory();
        assert_eq!(list(memory, &at, b"", usize::MAX), Ok(Vec::new()));
        aivm_host_free(memory);
        aivm_host_free(host);
        drop(Box::from_raw(user));
    }
}
