//! Host functions over hostile memory, arguments and allocator: a result, a trap, never a panic.
#![no_main]

use aivm_abi::host::{events, nn, storage};
use aivm_abi::{Exit, FuncId, Guest, Meter, Transcript, TrapCode, Word, glue};
use libfuzzer_sys::fuzz_target;

struct Host {
    gas: u64,
    transcript: Transcript,
}

impl Meter for Host {
    fn charge(&mut self, _: FuncId) -> Result<(), Exit> {
        self.charge_bytes(FuncId::new(0), 1)
    }

    fn charge_bytes(&mut self, _: FuncId, bytes: u64) -> Result<(), Exit> {
        self.gas = self.gas.checked_sub(bytes).ok_or(TrapCode::OutOfGas)?;
        Ok(())
    }

    fn transfer_limit(&self) -> u32 {
        1 << 16
    }

    fn transcript(&mut self) -> &mut Transcript {
        &mut self.transcript
    }
}

impl storage::Host for Host {
    fn load(&mut self, key: Word) -> Result<Word, Exit> {
        Ok(key)
    }

    fn store(&mut self, _: Word, _: Word) -> Result<(), Exit> {
        Ok(())
    }

    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Exit> {
        Ok((!key.is_empty()).then(|| key.to_vec()))
    }

    fn set(&mut self, _: &[u8], _: &[u8]) -> Result<(), Exit> {
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<bool, Exit> {
        Ok(key.is_empty())
    }

    fn has(&mut self, key: &[u8]) -> Result<bool, Exit> {
        Ok(key.is_empty())
    }
}

impl events::Host for Host {
    fn emit(&mut self, _: Vec<Word>, _: &[u8]) -> Result<(), Exit> {
        Ok(())
    }
}

impl nn::Host for Host {
    fn quote(&mut self, _: Word) -> Result<Result<nn::InferenceQuote, nn::Error>, Exit> {
        Ok(Err(nn::Error::ModelNotFound))
    }

    fn infer(
        &mut self,
        _: Word,
        inputs: Vec<nn::Tensor>,
    ) -> Result<Result<Vec<nn::Tensor>, nn::Error>, Exit> {
        Ok(Ok(inputs))
    }
}

struct Hostile<'a> {
    memory: Vec<u8>,
    host: Host,
    pointers: &'a [u32],
}

impl Guest for Hostile<'_> {
    type Host = Host;

    fn parts(&mut self) -> Result<(&mut [u8], &mut Host), Exit> {
        Ok((&mut self.memory, &mut self.host))
    }

    fn realloc(&mut self, _: u32, _: u32) -> Result<u32, Exit> {
        let (pointer, rest) = self.pointers.split_first().ok_or(TrapCode::Unreachable)?;
        self.pointers = rest;
        Ok(*pointer)
    }
}

fuzz_target!(|input: (Vec<u8>, [i32; 6], Vec<u32>)| {
    let (mut memory, [a, b, c, d, e, f], pointers) = input;
    memory.resize(1 << 12, 0);
    let host = Host {
        gas: 1 << 24,
        transcript: Transcript::new(),
    };
    let mut guest = Hostile {
        memory,
        host,
        pointers: &pointers,
    };
    let _ = glue::storage_load(&mut guest, 1, 2, 3, 4, a);
    let _ = glue::storage_get(&mut guest, a, b, c);
    let _ = glue::storage_set(&mut guest, a, b, c, d);
    let _ = glue::events_emit(&mut guest, a, b, c, d);
    let _ = glue::nn_infer(&mut guest, 1, 2, 3, 4, d, e, f);
    let _ = glue::nn_quote(&mut guest, 1, 2, 3, 4, f);
    assert_eq!(guest.memory.len(), 1 << 12);
});
