//! Resources: the guest holds handles, and only those that were given to it.

mod common;

/// The generated code.
#[allow(clippy::all, unused, missing_docs, unused_qualifications)]
pub mod every_type {
    include!(concat!(env!("OUT_DIR"), "/every_type.rs"));
}

use aivm_abi::canonical::{Borrow, Own, Value};
use aivm_abi::{Exit, TrapCode};
use common::TestHost;
use common::memory::MemoryGuest;
use every_type::glue;
use every_type::host::stacks::{self, Other, Stack};
use every_type::host::user;
use proptest::prelude::*;

impl TestHost {
    fn make(&mut self, values: Vec<u32>) -> Own<Stack> {
        self.stacks.push(Some(values));
        Own::new(self.stacks.len() as u32 - 1)
    }

    fn stack(&mut self, rep: u32) -> &mut Vec<u32> {
        self.stacks[rep as usize]
            .as_mut()
            .expect("the glue gives live numbers only")
    }
}

impl stacks::Host for TestHost {
    fn new_stack(&mut self, first: u32) -> Result<Own<Stack>, Exit> {
        Ok(self.make(vec![first]))
    }

    fn stack_push(&mut self, stack: Borrow<Stack>, value: u32) -> Result<(), Exit> {
        self.stack(stack.rep).push(value);
        Ok(())
    }

    fn stack_pop(&mut self, stack: Borrow<Stack>) -> Result<Option<u32>, Exit> {
        Ok(self.stack(stack.rep).pop())
    }

    fn stack_merge(&mut self, a: Own<Stack>, b: Own<Stack>) -> Result<Own<Stack>, Exit> {
        let mut all = self.stacks[a.rep as usize].take().unwrap();
        all.extend(self.stacks[b.rep as usize].take().unwrap());
        Ok(self.make(all))
    }

    fn stack_absorb(&mut self, stack: Borrow<Stack>, other: Borrow<Stack>) -> Result<(), Exit> {
        let values = self.stack(other.rep).clone();
        self.stack(stack.rep).extend(values);
        Ok(())
    }

    fn open(&mut self, count: u32) -> Result<Result<Vec<(String, Own<Stack>)>, String>, Exit> {
        Ok(match count {
            0 => Err("none".into()),
            count => Ok((0..count)
                .map(|i| (format!("s{i}"), self.make(vec![i])))
                .collect()),
        })
    }

    fn close(&mut self, stacks: Vec<Own<Stack>>) -> Result<u32, Exit> {
        for stack in &stacks {
            self.stacks[stack.rep as usize].take().unwrap();
        }
        Ok(stacks.len() as u32)
    }

    fn try_(&mut self, _: Borrow<Other>) -> Result<Option<Own<Other>>, Exit> {
        Ok(None)
    }

    fn get_other(&mut self) -> Result<Own<Other>, Exit> {
        Ok(Own::new(77))
    }

    fn drop_stack(&mut self, stack: Own<Stack>) -> Result<(), Exit> {
        self.stacks[stack.rep as usize].take().unwrap();
        Ok(())
    }

    fn drop_other(&mut self, _: Own<Other>) -> Result<(), Exit> {
        Ok(())
    }
}

impl user::Host for TestHost {
    fn depth(&mut self, of: Borrow<Stack>) -> Result<u32, Exit> {
        Ok(self.stack(of.rep).len() as u32)
    }
}

type Guest = MemoryGuest<TestHost>;

fn guest() -> Guest {
    MemoryGuest::new(TestHost::default())
}

fn trap<T: std::fmt::Debug>(result: Result<T, Exit>) -> TrapCode {
    match result {
        Err(Exit::Trap(code)) => code,
        other => panic!("expected a trap, got {other:?}"),
    }
}

#[test]
fn a_stack_lives_and_ends() {
    let mut guest = guest();
    let stack = glue::stacks_new_stack(&mut guest, 5).unwrap();
    assert_eq!(stack, 1, "handle 0 is never given");
    glue::stacks_stack_push(&mut guest, stack, 6).unwrap();
    assert_eq!(glue::user_depth(&mut guest, stack).unwrap(), 2);
    glue::stacks_stack_pop(&mut guest, stack, 8).unwrap();
    assert_eq!(guest.fetch::<Option<u32>>(8), Some(6));
    glue::stacks_drop_stack(&mut guest, stack).unwrap();
    assert_eq!(guest.host.stacks, [None]);
    assert!(guest.host.handles.is_empty());
    assert_eq!(
        trap(glue::stacks_drop_stack(&mut guest, stack)),
        TrapCode::BadHandle
    );
    assert_eq!(
        trap(glue::stacks_stack_push(&mut guest, stack, 1)),
        TrapCode::BadHandle
    );
}

#[test]
fn handles_keep_to_their_type() {
    let mut guest = guest();
    let other = glue::stacks_get_other(&mut guest).unwrap();
    assert_eq!(
        trap(glue::stacks_stack_push(&mut guest, other, 1)),
        TrapCode::BadHandle
    );
    assert_eq!(
        trap(glue::stacks_drop_stack(&mut guest, other)),
        TrapCode::BadHandle
    );
    glue::stacks_try_(&mut guest, other, 8).unwrap();
    for handle in [0, -1, 2, i32::MAX] {
        assert_eq!(
            trap(glue::user_depth(&mut guest, handle)),
            TrapCode::BadHandle
        );
    }
    assert_eq!(guest.host.handles.held::<Other>().collect::<Vec<_>>(), [77]);
    assert_eq!(guest.host.handles.held::<Stack>().count(), 0);
}

#[test]
fn what_is_given_away_is_gone() {
    let mut guest = guest();
    let a = glue::stacks_new_stack(&mut guest, 1).unwrap();
    let b = glue::stacks_new_stack(&mut guest, 2).unwrap();
    assert_eq!(
        trap(glue::stacks_stack_merge(&mut guest, a, a)),
        TrapCode::BadHandle
    );
    let a = glue::stacks_new_stack(&mut guest, 1).unwrap();
    let merged = glue::stacks_stack_merge(&mut guest, a, b).unwrap();
    assert_eq!(glue::user_depth(&mut guest, merged).unwrap(), 2);
    // The handle freed last is the first to be used again.
    assert_eq!(merged, b);
    assert_eq!(trap(glue::user_depth(&mut guest, a)), TrapCode::BadHandle);
    // Borrowing the same twice is fine.
    glue::stacks_stack_absorb(&mut guest, merged, merged).unwrap();
    assert_eq!(glue::user_depth(&mut guest, merged).unwrap(), 4);
}

#[test]
fn handles_in_lists() {
    let mut guest = guest();
    glue::stacks_open(&mut guest, 3, 8).unwrap();
    let pointer = u32::from_le_bytes(guest.memory[12..16].try_into().unwrap());
    let handles: Vec<u32> = (0..3)
        .map(|i| {
            let at = pointer as usize + i * 12 + 8;
            u32::from_le_bytes(guest.memory[at..at + 4].try_into().unwrap())
        })
        .collect();
    assert_eq!(handles, [1, 2, 3]);
    let list = guest.place(&handles);
    let pointer = guest.memory[list as usize..][..4]
        .try_into()
        .map(i32::from_le_bytes)
        .unwrap();
    assert_eq!(glue::stacks_close(&mut guest, pointer, 3).unwrap(), 3);
    assert!(guest.host.handles.is_empty());
    assert_eq!(
        trap(glue::stacks_close(&mut guest, pointer, 3)),
        TrapCode::BadHandle
    );
    glue::stacks_open(&mut guest, 0, 8).unwrap();
    assert_eq!(guest.memory[8], 1);
}

#[test]
fn too_many_handles_trap() {
    let mut guest = guest();
    for _ in 0..4 {
        glue::stacks_new_stack(&mut guest, 1).unwrap();
    }
    assert_eq!(
        trap(glue::stacks_new_stack(&mut guest, 1)),
        TrapCode::ResourceLimit
    );
    assert_eq!(<Own<Stack> as Value>::SIZE, 4);
}

proptest! {
    #[test]
    fn any_sequence_keeps_host_and_guest_in_step(steps in proptest::collection::vec((0u8..5, 0i32..7, 0i32..7), 0..60)) {
        let mut guest = guest();
        for (step, a, b) in steps {
            let _ = match step {
                0 => glue::stacks_new_stack(&mut guest, a).map(drop),
                1 => glue::stacks_drop_stack(&mut guest, a),
                2 => glue::stacks_stack_absorb(&mut guest, a, b),
                3 => glue::user_depth(&mut guest, a).map(drop),
                _ => glue::stacks_stack_push(&mut guest, a, b),
            };
            let mut held: Vec<u32> = guest.host.handles.held::<Stack>().collect();
            held.sort_unstable();
            let alive: Vec<u32> = (0..).zip(&guest.host.stacks).filter(|(_, s)| s.is_some()).map(|(i, _)| i).collect();
            // A construction past the limit is a trap that ends the guest, and with it the host's stack.
            prop_assert!(held.iter().all(|rep| alive.contains(rep)));
        }
    }
}
