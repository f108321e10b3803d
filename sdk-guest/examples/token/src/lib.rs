//! A fungible token with the interface of ERC-20.
#![no_std]

use aivm_sdk::prelude::*;

/// What the contract keeps.
#[derive(State)]
pub struct Token {
    name: Value<String>,
    symbol: Value<String>,
    total_supply: Value<U256>,
    balances: Map<Address, Value<U256>>,
    allowances: Map<Address, Map<Address, Value<U256>>>,
}

/// Tokens moved; from the zero address when they came into being.
#[derive(Event)]
pub struct Transfer {
    /// Who had them.
    #[indexed]
    pub from: Address,
    /// Who has them.
    #[indexed]
    pub to: Address,
    /// How many.
    pub value: U256,
}

/// An allowance changed.
#[derive(Event)]
pub struct Approval {
    /// Whose tokens.
    #[indexed]
    pub owner: Address,
    /// Who may move them.
    #[indexed]
    pub spender: Address,
    /// How many.
    pub value: U256,
}

/// Why a call is refused.
#[derive(Revert)]
pub enum TokenError {
    /// The sender has too few tokens.
    InsufficientBalance {
        /// Whose.
        owner: Address,
        /// What it has.
        balance: U256,
        /// What it takes.
        needed: U256,
    },
    /// The spender may move too few tokens.
    InsufficientAllowance {
        /// Who.
        spender: Address,
        /// What it may move.
        allowance: U256,
        /// What it takes.
        needed: U256,
    },
    /// The zero address cannot have tokens.
    InvalidReceiver,
}

#[contract(events(Transfer, Approval), errors(TokenError))]
impl Token {
    /// Makes `supply` tokens for who deploys.
    #[constructor]
    pub fn new(&mut self, name: String, symbol: String, supply: U256) {
        self.name.set(name);
        self.symbol.set(symbol);
        self.total_supply.set(supply);
        let to = env::caller();
        self.balances.set(to, supply);
        let from = Address::ZERO;
        Transfer {
            from,
            to,
            value: supply,
        }
        .emit();
    }

    /// Name of the token.
    pub fn name(&self) -> String {
        self.name.get()
    }

    /// Its short name.
    pub fn symbol(&self) -> String {
        self.symbol.get()
    }

    /// Digits behind the point that user interfaces show.
    pub fn decimals(&self) -> u8 {
        18
    }

    /// All tokens.
    pub fn total_supply(&self) -> U256 {
        self.total_supply.get()
    }

    /// Tokens of an address.
    pub fn balance_of(&self, owner: Address) -> U256 {
        self.balances.get(owner)
    }

    /// Tokens of `owner` that `spender` may move.
    pub fn allowance(&self, owner: Address, spender: Address) -> U256 {
        self.allowances.at(owner).get(spender)
    }

    /// Moves the caller's tokens.
    pub fn transfer(&mut self, to: Address, value: U256) -> Result<bool, TokenError> {
        self.shift(env::caller(), to, value)?;
        Ok(true)
    }

    /// Lets `spender` move tokens of the caller.
    pub fn approve(&mut self, spender: Address, value: U256) -> bool {
        let owner = env::caller();
        self.allowances.at_mut(owner).set(spender, value);
        Approval {
            owner,
            spender,
            value,
        }
        .emit();
        true
    }

    /// Moves tokens of `from` that the caller may move. An allowance of 2^256 − 1 has no end.
    pub fn transfer_from(
        &mut self,
        from: Address,
        to: Address,
        value: U256,
    ) -> Result<bool, TokenError> {
        let spender = env::caller();
        let mut allowances = self.allowances.at_mut(from);
        let allowance = allowances.get(spender);
        if allowance != U256::MAX {
            let Some(left) = allowance.checked_sub(value) else {
                let needed = value;
                return Err(TokenError::InsufficientAllowance {
                    spender,
                    allowance,
                    needed,
                });
            };
            allowances.set(spender, left);
        }
        self.shift(from, to, value)?;
        Ok(true)
    }

    fn shift(&mut self, from: Address, to: Address, value: U256) -> Result<(), TokenError> {
        ensure!(!to.is_zero(), TokenError::InvalidReceiver);
        let balance = self.balances.get(from);
        let Some(left) = balance.checked_sub(value) else {
            let (owner, needed) = (from, value);
            return Err(TokenError::InsufficientBalance {
                owner,
                balance,
                needed,
            });
        };
        self.balances.set(from, left);
        let held = self.balances.get(to);
        self.balances.set(to, held + value);
        Transfer { from, to, value }.emit();
        Ok(())
    }
}
