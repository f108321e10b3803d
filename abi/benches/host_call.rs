//! What the border itself costs: the glue over a host that does next to nothing.
#![allow(missing_docs)]

use std::hint::black_box;

use aivm_abi::host::storage;
use aivm_abi::{Exit, FuncId, Guest, Meter, Transcript, TrapCode, Word, glue};
use criterion::{Criterion, criterion_group, criterion_main};

struct Host {
    gas: u64,
    value: Word,
    transcript: Transcript,
}

impl Meter for Host {
    #[inline]
    fn charge(&mut self, _: FuncId) -> Result<(), Exit> {
        self.gas = self.gas.checked_sub(1).ok_or(TrapCode::OutOfGas)?;
        Ok(())
    }

    #[inline]
    fn charge_bytes(&mut self, _: FuncId, bytes: u64) -> Result<(), Exit> {
        self.gas = self.gas.checked_sub(bytes).ok_or(TrapCode::OutOfGas)?;
        Ok(())
    }

    fn transfer_limit(&self) -> u32 {
        1 << 20
    }

    #[inline]
    fn transcript(&mut self) -> &mut Transcript {
        &mut self.transcript
    }
}

impl storage::Host for Host {
    #[inline(never)]
    fn load(&mut self, key: Word) -> Result<Word, Exit> {
        Ok(Word([key.0[0] ^ self.value.0[0], 0, 0, 0]))
    }

    fn store(&mut self, _: Word, value: Word) -> Result<(), Exit> {
        self.value = value;
        Ok(())
    }

    fn get(&mut self, _: &[u8]) -> Result<Option<Vec<u8>>, Exit> {
        Ok(None)
    }

    fn set(&mut self, _: &[u8], _: &[u8]) -> Result<(), Exit> {
        Ok(())
    }

    fn remove(&mut self, _: &[u8]) -> Result<bool, Exit> {
        Ok(false)
    }

    #[inline(never)]
    fn has(&mut self, key: &[u8]) -> Result<bool, Exit> {
        Ok(key.first() == Some(&1))
    }
}

struct BenchGuest {
    memory: Vec<u8>,
    host: Host,
}

impl Guest for BenchGuest {
    type Host = Host;

    #[inline]
    fn parts(&mut self) -> Result<(&mut [u8], &mut Host), Exit> {
        Ok((&mut self.memory, &mut self.host))
    }

    fn realloc(&mut self, _: u32, _: u32) -> Result<u32, Exit> {
        Ok(1024)
    }
}

fn host_calls(c: &mut Criterion) {
    let host = Host {
        gas: u64::MAX,
        value: Word::ZERO,
        transcript: Transcript::new(),
    };
    let mut guest = BenchGuest {
        memory: vec![0; 1 << 16],
        host,
    };
    c.bench_function("trait alone: storage.load", |b| {
        b.iter(|| storage::Host::load(black_box(&mut guest.host), black_box(Word::from(7u64))));
    });
    c.bench_function("glue: storage.load (one word in, one word out)", |b| {
        b.iter(|| glue::storage_load(black_box(&mut guest), black_box(7), 0, 0, 0, 64));
    });
    c.bench_function("glue: storage.has (32 bytes in)", |b| {
        b.iter(|| glue::storage_has(black_box(&mut guest), black_box(128), 32));
    });
    c.bench_function("hash of a transcript of one frame", |b| {
        b.iter(|| {
            let mut transcript = Transcript::new();
            transcript.begin_call(FuncId::new(1));
            transcript.end();
            transcript.hash()
        });
    });
}

criterion_group!(benches, host_calls);
criterion_main!(benches);
