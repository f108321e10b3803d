//! Reads handwritten digits for everyone and remembers each caller's last one: the contract of
//! `vm/examples/digits.synq`, in Rust. Its calls, events and state are the same.
#![no_std]

use aivm_sdk::model::argmax;
use aivm_sdk::prelude::*;

/// 8×8 pixels, each 0 to 16, to a score for each digit.
const DIGITS: Model<[[u8; 64]; 1], [[i8; 10]; 1]> =
    model!("../../../nn-backends/models/digits.onnx");

/// What the contract keeps.
#[derive(State)]
pub struct Notary {
    last_digit: Map<Address, Value<U256>>,
    read_count: Value<U256>,
}

/// A digit was read.
#[derive(Event)]
pub struct Read {
    /// For whom.
    #[indexed]
    pub who: Address,
    /// The digit.
    pub digit: U256,
}

#[contract(events(Read))]
impl Notary {
    /// Classifies an image, stores the answer under the caller and returns it.
    pub fn read(&mut self, image: [[u8; 64]; 1]) -> U256 {
        let [logits] = DIGITS.infer(&image);
        let digit = U256::from(argmax(&logits) as u64);
        let who = env::caller();
        self.last_digit.set(who, digit);
        let count = self.read_count.get();
        self.read_count.set(count + U256::ONE);
        Read { who, digit }.emit();
        digit
    }

    /// The last digit that was read for an address.
    pub fn last_digit(&self, who: Address) -> U256 {
        self.last_digit.get(who)
    }

    /// How many images were read.
    pub fn read_count(&self) -> U256 {
        self.read_count.get()
    }

    /// Gas of one inference.
    pub fn price(&self) -> u64 {
        match DIGITS.quote() {
            Ok(quote) => quote.gas,
            Err(_) => panic!("the model is not on this chain"),
        }
    }
}
