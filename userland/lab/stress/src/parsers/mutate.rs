// SPDX-License-Identifier: GPL-2.0

//! Inputs that are nearly right: pieces of those in the corpus, changed.

use fastrand::Rng;

/// What parsers stumble over, as text and as words.
const TELLING: [&[u8]; 14] = [
    b"0",
    b"-1",
    b"18446744073709551615",
    b"18446744073709551616",
    b"340282366920938463463374607431768211455",
    b"1e999",
    b"NaN",
    b"null",
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x80",
    b"\x00\x00\x00\x00",
    b"\xf0\x9f\xa6\x80",
    b"# end\n",
    b"[[[[[[[[",
];

/// Far longer than what is in any corpus: nobody gains by more.
const LONGEST: usize = 1 << 20;

pub fn mutated(rng: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = pick(rng, corpus).clone();
    for _ in 0..1 << rng.u32(..5) {
        change(rng, &mut input, corpus);
        input.truncate(LONGEST);
    }
    input
}

fn pick<'a, T>(rng: &mut Rng, all: &'a [T]) -> &'a T {
    &all[rng.usize(..all.len())]
}

fn change(rng: &mut Rng, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let (begin, end) = range(rng, input.len());
    let put: Vec<u8> = match rng.u32(..7) {
        // Lost, or cut off.
        0 => Vec::new(),
        1 => return input.truncate(begin),
        // Doubled.
        2 => [&input[begin..end], &input[begin..end]].concat(),
        3 => pick(rng, &TELLING).to_vec(),
        4 => (begin..end.max(begin + 1)).map(|_| rng.u8(..)).collect(),
        // From elsewhere.
        5 => {
            let other = pick(rng, corpus);
            let (begin, end) = range(rng, other.len());
            other[begin..end].to_vec()
        }
        _ => {
            let mut bits = input[begin..end].to_vec();
            if let Some(byte) = bits.first_mut() {
                *byte ^= 1 << rng.u32(..8);
            }
            bits
        }
    };
    input.splice(begin..end, put);
}

/// Mostly short, wherever.
fn range(rng: &mut Rng, length: usize) -> (usize, usize) {
    let begin = rng.usize(..=length);
    let most = 1 << rng.u32(..9);
    (begin, length.min(begin + rng.usize(..most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_inputs_always() {
        let corpus = [b"some text\n".to_vec(), vec![1, 2, 3]];
        let inputs = |seed| {
            let mut rng = Rng::with_seed(seed);
            (0..500)
                .map(|_| mutated(&mut rng, &corpus))
                .collect::<Vec<_>>()
        };
        assert_eq!(inputs(3), inputs(3));
        assert_ne!(inputs(3), inputs(4));
    }
}
