//! What a transaction read and wrote of one contract's storage.

use std::collections::BTreeMap;

/// Entries up to which looking at each is quicker than a tree.
const FEW: usize = 8;

/// Bytes of a short key: a word, which is what most keys are.
const SHORT: usize = 32;

/// A key without an allocation of its own, when it is short.
#[derive(Clone, Debug)]
enum Key {
    Word([u8; SHORT]),
    Other(Box<[u8]>),
}

impl Key {
    fn new(bytes: &[u8]) -> Self {
        match bytes.try_into() {
            Ok(word) => Self::Word(word),
            Err(_) => Self::Other(bytes.into()),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Word(word) => word,
            Self::Other(bytes) => bytes,
        }
    }

    #[inline]
    fn is(&self, bytes: &[u8]) -> bool {
        match (self, <&[u8; SHORT]>::try_from(bytes)) {
            (Self::Word(word), Ok(bytes)) => word == bytes,
            (Self::Other(own), Err(_)) => **own == *bytes,
            _ => false,
        }
    }
}

/// What an entry holds now, beside what it held at the start.
#[derive(Debug, Default)]
pub(crate) enum Value {
    /// The same.
    #[default]
    Original,
    /// Nothing.
    Removed,
    /// A word.
    Word([u8; SHORT]),
    /// Any other bytes.
    Bytes(Box<[u8]>),
}

impl Value {
    fn new(bytes: Option<&[u8]>) -> Self {
        let Some(bytes) = bytes else {
            return Self::Removed;
        };
        match bytes.try_into() {
            Ok(word) => Self::Word(word),
            Err(_) => Self::Bytes(bytes.into()),
        }
    }
}

/// What an entry held at the start.
#[derive(Debug)]
pub(crate) enum Original {
    /// This, or nothing.
    Read(Option<Vec<u8>>),
    /// So many bytes, which nobody had to read yet.
    Unread(usize),
}

#[derive(Debug)]
struct Slot {
    key: Key,
    original: Original,
    current: Value,
}

impl Slot {
    /// The value; none when it was not read, and an inner none when there is none.
    #[inline]
    fn known(&self) -> Option<Option<&[u8]>> {
        match (&self.current, &self.original) {
            (Value::Original, Original::Read(bytes)) => Some(bytes.as_deref()),
            (Value::Original, Original::Unread(_)) => None,
            (Value::Removed, _) => Some(None),
            (Value::Word(word), _) => Some(Some(word)),
            (Value::Bytes(bytes), _) => Some(Some(bytes)),
        }
    }

    /// Whether it is as at the start. What was not read has another length than whatever took its
    /// place.
    fn unchanged(&self) -> bool {
        match (&self.current, &self.original) {
            (Value::Original, _) => true,
            (_, Original::Unread(_)) => false,
            (_, Original::Read(bytes)) => self.known() == Some(bytes.as_deref()),
        }
    }
}

/// Entries of one contract, in the order in which they were first looked at.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    slots: Vec<Slot>,
    /// Which place a key has, once there are more than a few.
    places: BTreeMap<Box<[u8]>, usize>,
}

impl Slots {
    /// Place of an entry.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<usize> {
        if self.slots.len() <= FEW {
            return self.slots.iter().position(|slot| slot.key.is(key));
        }
        self.places.get(key).copied()
    }

    /// Adds an entry that is not there, with its value on the chain; gives its place.
    pub fn insert(&mut self, key: &[u8], original: Original) -> usize {
        let place = self.slots.len();
        self.slots.push(Slot {
            key: Key::new(key),
            original,
            current: Value::Original,
        });
        if place > FEW {
            self.places.insert(key.into(), place);
        } else if place == FEW {
            let all = self.slots.iter().enumerate();
            self.places = all.map(|(n, s)| (s.key.bytes().into(), n)).collect();
        }
        place
    }

    /// Value of the entry at a place, which must have been read.
    #[inline]
    pub fn value(&self, place: usize) -> Option<&[u8]> {
        self.slots.get(place)?.known()?
    }

    /// Whether there is a value.
    pub fn is_present(&self, place: usize) -> bool {
        let slot = self.slots.get(place);
        slot.is_some_and(|slot| slot.known().is_none_or(|value| value.is_some()))
    }

    /// Whether the value is this one. If it was not read it has another length.
    pub fn is(&self, place: usize, value: Option<&[u8]>) -> bool {
        let slot = self.slots.get(place);
        slot.is_some_and(|slot| slot.known() == Some(value))
    }

    /// Key of the entry at a place, if its value is asked for and was not read.
    pub fn unread(&self, place: usize) -> Option<&[u8]> {
        let slot = self.slots.get(place)?;
        slot.known().is_none().then(|| slot.key.bytes())
    }

    /// Key of the entry at a place, if what it held at the start is that long and was not read.
    pub fn unread_of(&self, place: usize, length: usize) -> Option<&[u8]> {
        let slot = self.slots.get(place)?;
        match slot.original {
            Original::Unread(unread) if unread == length => Some(slot.key.bytes()),
            _ => None,
        }
    }

    /// Takes up what the entry at a place held at the start; false when it is not as long as it
    /// was said to be.
    pub fn read(&mut self, place: usize, bytes: Option<Vec<u8>>) -> bool {
        let Some(slot) = self.slots.get_mut(place) else {
            return false;
        };
        let length = bytes.as_ref().map(Vec::len);
        match slot.original {
            Original::Unread(unread) if length != Some(unread) => return false,
            _ => slot.original = Original::Read(bytes),
        }
        true
    }

    /// Changes the entry at a place; gives what undoes it, unless it is that already. A value that is
    /// as long as what was there at the start may only come when that was read.
    pub fn set(&mut self, place: usize, value: Option<&[u8]>) -> Option<Value> {
        let slot = self.slots.get_mut(place)?;
        if slot.known() == Some(value) {
            return None;
        }
        Some(std::mem::replace(&mut slot.current, Value::new(value)))
    }

    /// Undoes a change.
    pub fn put_back(&mut self, place: usize, value: Value) {
        if let Some(slot) = self.slots.get_mut(place) {
            slot.current = value;
        }
    }

    /// Entries whose value is another than at the start, by key.
    pub fn into_changes(self) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        // Inserted one by one: a few are in place before the list of them would be sorted.
        let mut changes = BTreeMap::new();
        for slot in self.slots {
            if slot.unchanged() {
                continue;
            }
            let value = match slot.current {
                Value::Original => continue,
                Value::Removed => None,
                Value::Word(word) => Some(word.to_vec()),
                Value::Bytes(bytes) => Some(bytes.into_vec()),
            };
            let key = match slot.key {
                Key::Word(word) => word.to_vec(),
                Key::Other(bytes) => bytes.into_vec(),
            };
            changes.insert(key, value);
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn short_bytes() -> impl Strategy<Value = Vec<u8>> {
        // Words and their neighbours in length, few enough to meet again.
        prop_oneof![Just(0), Just(1), Just(31), Just(32), Just(33)]
            .prop_flat_map(|n| (0u8..4).prop_map(move |b| vec![b; n]))
    }

    proptest! {
        /// Against a map of the values now and a map of those at the start.
        #[test]
        fn slots_are_a_map_with_a_memory(
            steps in prop::collection::vec((short_bytes(), prop::option::of(short_bytes()), any::<bool>()), 0..60)
        ) {
            let (mut slots, mut undo) = (Slots::default(), Vec::new());
            let (mut first, mut now) = (BTreeMap::new(), BTreeMap::new());
            for (key, value, undone) in steps {
                let place = match slots.find(&key) {
                    Some(place) => place,
                    None => {
                        prop_assert!(!first.contains_key(&key));
                        let original = key.first().filter(|b| **b > 1).map(|_| key.clone());
                        first.insert(key.clone(), original.clone());
                        now.insert(key.clone(), original.clone());
                        // What is long enough need not be read at once.
                        match original.as_ref().map(Vec::len) {
                            Some(length) if length > 32 => {
                                slots.insert(&key, Original::Unread(length))
                            }
                            _ => slots.insert(&key, Original::Read(original)),
                        }
                    }
                };
                prop_assert_eq!(slots.is_present(place), now[&key].is_some());
                if undone {
                    // Somebody reads it first.
                    if slots.unread(place).is_some() {
                        prop_assert!(!slots.read(place, Some(vec![9; 40])));
                        prop_assert!(slots.read(place, first[&key].clone()));
                    }
                    prop_assert_eq!(slots.value(place), now[&key].as_deref());
                }
                let length = value.as_ref().map_or(usize::MAX, Vec::len);
                if slots.unread_of(place, length).is_some() {
                    prop_assert!(slots.read(place, first[&key].clone()));
                }
                prop_assert_eq!(slots.is(place, value.as_deref()), now[&key] == value);
                let previous = slots.set(place, value.as_deref());
                prop_assert_eq!(previous.is_some(), now[&key] != value);
                match previous {
                    Some(previous) if undone => slots.put_back(place, previous),
                    Some(previous) => undo.push((place, previous)),
                    None => {}
                }
                if !undone {
                    now.insert(key.clone(), value);
                }
                if slots.unread(place).is_none() {
                    prop_assert_eq!(slots.value(place), now[&key].as_deref());
                }
                prop_assert_eq!(slots.is_present(place), now[&key].is_some());
            }
            let rolled_back = undo.len() % 2 == 1;
            if rolled_back {
                undo.into_iter().rev().for_each(|(place, value)| slots.put_back(place, value));
            }
            let changes = slots.into_changes();
            let expected: BTreeMap<_, _> = now
                .into_iter()
                .filter(|(key, value)| !rolled_back && first[key] != *value)
                .collect();
            prop_assert_eq!(changes, expected);
        }
    }
}
