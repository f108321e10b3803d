//! Random valid graphs, integer and strict: every executor gives the reference's bits.
//!
//! `AIVM_RANDOM_GRAPHS` sets how many (20,000 by default).

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aivm_nn::kernels::Isa;
use aivm_nn::{Backend, Profile, RunError, Tensor, prepare};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

fn count() -> u32 {
    let wanted = std::env::var("AIVM_RANDOM_GRAPHS").ok();
    wanted.and_then(|n| n.parse().ok()).unwrap_or(20_000)
}

/// The NaNs of an output have one form, and so have its zeros.
fn canonical(tensor: &Tensor) -> bool {
    let (chunks, _) = tensor.data.as_chunks::<4>();
    tensor.ty != aivm_nn::ElementType::F32
        || chunks.iter().all(|c| {
            let x = f32::from_le_bytes(*c);
            let bits = x.to_bits();
            (!x.is_nan() || bits == 0x7fc0_0000) && bits != 0x8000_0000
        })
}

#[test]
fn every_executor_gives_the_bits_of_the_reference() {
    let seen: Mutex<(usize, usize, usize, BTreeMap<&str, usize>)> = Mutex::default();
    let config = Config {
        cases: count(),
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let bytes = proptest::collection::vec(any::<u8>(), 60..400);
    let outcome = TestRunner::new(config).run(&bytes, |bytes| {
        let Some(case) = common::random::case(&bytes, 14) else {
            return Ok(());
        };
        let integer = case.model.profile() == Profile::Integer;
        let model = Arc::new(case.model);
        let run = |backend| -> Result<Vec<Tensor>, RunError> {
            prepare(model.clone(), backend)?.run(&case.inputs)
        };
        let expected = run(Backend::Reference);
        let fine = match &expected {
            Ok(outputs) => outputs.iter().all(canonical),
            Err(RunError::IndexOutOfRange | RunError::DivisionByZero) => true,
            Err(_) => false,
        };
        prop_assert!(fine, "{expected:?} of {:?}", case.operators);
        for isa in Isa::available() {
            for threads in [1, 2] {
                let found = run(Backend::CpuWith { isa, threads });
                prop_assert_eq!(&found, &expected, "{} {:?}", isa.name(), case.operators);
            }
        }
        let mut seen = seen.lock().unwrap();
        seen.0 += usize::from(integer);
        seen.1 += usize::from(!integer);
        seen.2 += usize::from(expected.is_ok());
        for op in case.operators {
            *seen.3.entry(op).or_default() += 1;
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let (integer, strict, ran, operators) = seen.into_inner().unwrap();
    println!(
        "{integer} integer and {strict} strict graphs, {ran} ran to the end, of {operators:?}"
    );
    let total = integer + strict;
    assert!(integer > total / 100 && strict > total / 2 && ran > total / 2);
    assert!(operators.len() > 40, "{operators:?}");
}
