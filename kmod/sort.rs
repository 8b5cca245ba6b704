// SPDX-License-Identifier: GPL-2.0

//! Sorts by heap: of `core`'s sort, objtool takes a panic for a way on into the next function.

/// Sorts `items`.
pub(crate) fn sort<T: PartialOrd>(items: &mut [T]) {
    fn sift<T: PartialOrd>(items: &mut [T], mut root: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child + 1 < items.len() && items[child] < items[child + 1] {
                child += 1;
            }
            if child >= items.len() || items[root] >= items[child] {
                return;
            }
            items.swap(root, child);
            root = child;
        }
    }
    for root in (0..items.len() / 2).rev() {
        sift(items, root);
    }
    for end in (1..items.len()).rev() {
        items.swap(0, end);
        sift(&mut items[..end], 0);
    }
}
