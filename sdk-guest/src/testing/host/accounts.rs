//! Native balances.

use super::writes;
use crate::testing::world::{frame, with};
use crate::{Address, Word};

/// Balance of an address.
pub fn balance(address: Word) -> Word {
    let address = Address::from_u256(address.into());
    let balance = with(|world| world.state.balances.get(&address).copied());
    balance.unwrap_or_default().into()
}

/// Moves `amount` from the contract to `to`; false when the balance does not suffice.
pub fn transfer(to: Word, amount: Word) -> bool {
    writes();
    let from = frame(|frame| frame.this);
    with(|world| {
        let to = Address::from_u256(to.into());
        world.state.transfer(from, to, amount.into())
    })
}
