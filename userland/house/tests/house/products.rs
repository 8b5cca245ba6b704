// SPDX-License-Identifier: GPL-2.0

//! What is built stays out of version control.

use crate::tracked;

const PRODUCTS: [&str; 9] = ["a", "cmd", "d", "ko", "mod", "o", "rlib", "rmeta", "so"];

#[test]
fn no_product_of_a_build_is_tracked() {
    let products = tracked::with_extension(&PRODUCTS);
    assert!(
        products.is_empty(),
        "built, not written: git rm --cached {products:?}, and add them to .gitignore"
    );
}
