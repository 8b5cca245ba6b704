// SPDX-License-Identifier: GPL-2.0

//! A processor's return-address stack.

/// A ring: what is called too deep overwrites the oldest entry, and who returns too often gets what was there last.
///
/// So it is in AMD's processors and in most of Intel's. Interrupts and system calls leave it alone.
#[derive(Clone, Debug)]
pub struct ReturnStack<const ENTRIES: usize> {
    ring: [u64; ENTRIES],
    top: usize,
}

impl<const ENTRIES: usize> Default for ReturnStack<ENTRIES> {
    fn default() -> Self {
        Self {
            ring: [0; ENTRIES],
            top: 0,
        }
    }
}

impl<const ENTRIES: usize> ReturnStack<ENTRIES> {
    /// A call, which is to return to `address`.
    pub fn push(&mut self, address: u64) {
        self.top = (self.top + 1) % ENTRIES;
        self.ring[self.top] = address;
    }

    /// Where the processor expects a return to go.
    pub fn pop(&mut self) -> u64 {
        let address = self.ring[self.top];
        self.top = (self.top + ENTRIES - 1) % ENTRIES;
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ENTRIES: usize = 16;

    /// Calls that go `depth` deep, each from a place of its own.
    fn called(stack: &mut ReturnStack<ENTRIES>, depth: usize) {
        (1..=depth as u64).for_each(|address| stack.push(address));
    }

    /// How many of the returns from `depth` are mispredicted.
    fn mispredicted(stack: &mut ReturnStack<ENTRIES>, depth: usize) -> usize {
        let returns = (1..=depth as u64).rev();
        returns.filter(|&address| stack.pop() != address).count()
    }

    proptest! {
        /// Whatever else was called before and returned.
        #[test]
        fn returns_are_predicted_as_deep_as_it_has_entries(steps in prop::collection::vec(any::<bool>(), 0..200)) {
            let mut stack = ReturnStack::<ENTRIES>::default();
            let mut callers = Vec::new();
            for (address, calls) in (1..).zip(steps) {
                if calls && callers.len() < ENTRIES {
                    stack.push(address);
                    callers.push(address);
                } else if let Some(caller) = callers.pop() {
                    prop_assert_eq!(stack.pop(), caller);
                }
            }
        }

        #[test]
        fn of_deeper_calls_the_outermost_are_forgotten(depth in ENTRIES..100) {
            let mut stack = ReturnStack::<ENTRIES>::default();
            called(&mut stack, depth);
            prop_assert_eq!(mispredicted(&mut stack, depth), depth - ENTRIES);
        }

        #[test]
        fn a_call_that_nothing_returns_from_costs_every_caller_its_return(depth in 1..ENTRIES) {
            let mut stack = ReturnStack::<ENTRIES>::default();
            called(&mut stack, depth);
            stack.push(1000);
            prop_assert_eq!(mispredicted(&mut stack, depth), depth);
        }

        #[test]
        fn a_return_to_elsewhere_costs_itself_and_no_caller(depth in 1..ENTRIES) {
            let mut stack = ReturnStack::<ENTRIES>::default();
            called(&mut stack, depth);
            stack.push(1000);
            prop_assert_ne!(stack.pop(), 2000);
            prop_assert_eq!(mispredicted(&mut stack, depth), 0);
        }
    }

    #[test]
    fn who_returns_too_often_gets_what_was_there_last() {
        let mut stack = ReturnStack::<ENTRIES>::default();
        called(&mut stack, ENTRIES + 1);
        assert_eq!(mispredicted(&mut stack, ENTRIES + 1), 1);
        assert_eq!(stack.pop(), ENTRIES as u64);
    }
}
