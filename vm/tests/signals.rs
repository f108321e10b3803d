//! Traps are signals, and the host program may have handlers of its own. Each case is a process of
//! its own, because handlers are the whole process's.
#![cfg(unix)]

mod common;

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;

use aivm::{Address, Status, TrapCode};
use common::*;

/// Names the case in the child process.
const CASE: &str = "AIVM_SIGNAL_CASE";
/// How a process ends in a handler of the host program.
const OWN: i32 = 42;

type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

/// Installs a handler for faults, and gives the one that was there.
fn install(handler: Handler) -> libc::sigaction {
    // SAFETY: all zeros are a valid `sigaction`, and both pointers are valid.
    unsafe {
        let mut new: libc::sigaction = std::mem::zeroed();
        let mut old: libc::sigaction = std::mem::zeroed();
        new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        new.sa_sigaction = handler as *const () as usize;
        assert_eq!(libc::sigaction(libc::SIGSEGV, &new, &mut old), 0);
        old
    }
}

/// A handler that keeps what it gets to itself.
extern "C" fn ends(_: libc::c_int, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the call is allowed in a signal handler.
    unsafe { libc::_exit(OWN) }
}

static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// A handler that passes on what it gets.
extern "C" fn passes_on(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let Some(previous) = PREVIOUS.get() else {
        return;
    };
    // SAFETY: with this flag the handler has this type; both calls are allowed in a signal handler.
    let previous: Handler = unsafe {
        if previous.sa_flags & libc::SA_SIGINFO == 0 {
            libc::_exit(1);
        }
        std::mem::transmute(previous.sa_sigaction)
    };
    previous(signal, info, context);
}

/// A fault of the host program itself.
fn fault() {
    // SAFETY: that this is none is the point. The mapping is new and nothing else is at its address.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let page = libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_NONE, flags, -1, 0);
        assert_ne!(page, libc::MAP_FAILED);
        page.cast::<u8>().write_volatile(1);
    }
}

/// Writes to a page that was never written, reads beyond the memory, divides by zero, gives up.
const CODE: &str = "(local $what i32)
  (local.set $what (i32.load8_u (local.get $at)))
  (i32.store (i32.const 70000) (i32.const 1))
  (if (i32.eq (local.get $what) (i32.const 1)) (then (drop (i32.load (i32.const -8)))))
  (if (i32.eq (local.get $what) (i32.const 2)) (then (drop (i32.div_u (i32.const 1) (i32.sub (local.get $what) (i32.const 2))))))
  (if (i32.eq (local.get $what) (i32.const 3)) (then unreachable))
  (call $result (i32.const 0) (i32.const 70000) (i32.const 4))";

/// Calls that end in every way, on a VM that may be new.
fn calls(world: &mut World, contract: Address) {
    let statuses = [
        Status::Return,
        Status::Trap(TrapCode::OutOfBoundsMemory),
        Status::Trap(TrapCode::DivisionByZero),
        Status::Trap(TrapCode::Unreachable),
    ];
    for (what, status) in (0..).zip(statuses) {
        let receipt = world.call(contract, &[what]);
        assert_eq!(receipt.status, status);
    }
}

/// What the child does; nothing in the test run itself.
#[test]
fn child() {
    let Ok(case) = std::env::var(CASE) else {
        return;
    };
    if case == "before" {
        install(ends);
    }
    let mut world = World::new();
    let contract = world.deploy(&guest(&[], &call_body(CODE)));
    calls(&mut world, contract);
    match case.as_str() {
        "passed on" => assert!(PREVIOUS.set(install(passes_on)).is_ok()),
        "kept" => {
            install(ends);
        }
        _ => {}
    }
    calls(&mut world, contract);
    fault();
}

fn run(case: &str) -> ExitStatus {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program);
    child.args(["--exact", "child"]).env(CASE, case);
    child.output().unwrap().status
}

#[test]
fn handlers_of_the_host_program_get_its_own_faults_and_the_vm_those_of_guests() {
    // Installed before the VM's: the VM passes on what is not its own.
    assert_eq!(run("before").code(), Some(OWN));
    // Installed later: it must pass on what is not its own, and then both work. Its own fault ends the process in the
    // way that was the default.
    assert_eq!(run("passed on").signal(), Some(libc::SIGSEGV));
    // The default, with no handler of the program's.
    assert_eq!(run("none").signal(), Some(libc::SIGSEGV));
    // One that passes nothing on gets the guest's faults, and what it does is not a result.
    assert_eq!(run("kept").code(), Some(OWN));
}
