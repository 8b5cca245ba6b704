// SPDX-License-Identifier: GPL-2.0

//! Which stages xcap is loaded with. What a command or a load takes grows with the functions that are hooked: with few
//! of them there are many more rounds in an hour, and the paths through xcap are the same.

use fastrand::Rng;
use xcap_abi::stage::Stage;

pub const ALL: &str = "";

/// One whose function is a driver's, one whose calls sleep, and one that xcap hooks directly.
pub fn few() -> String {
    names([Stage::NicPoll, Stage::Recvmsg, Stage::CopyUser])
}

const ALL_ONE_IN: usize = 20;
const AT_MOST: usize = 4;

/// Now all, else a few that chance chooses.
pub fn some(rng: &mut Rng) -> String {
    if rng.usize(..ALL_ONE_IN) == 0 {
        return ALL.to_owned();
    }
    let receiving = Stage::ALL.into_iter().filter(|stage| !stage.is_transmit());
    let count = rng.usize(1..=AT_MOST);
    names(rng.choose_multiple(receiving, count))
}

fn names(stages: impl IntoIterator<Item = Stage>) -> String {
    let words: Vec<&str> = stages.into_iter().map(Stage::word).collect();
    words.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_all_now_and_then_and_else_a_few_that_xcap_knows() {
        let mut rng = Rng::with_seed(1);
        let chosen: Vec<String> = (0..100).map(|_| some(&mut rng)).collect();
        let all = chosen
            .iter()
            .filter(|stages| stages.as_str() == ALL)
            .count();
        assert!((1..15).contains(&all), "{all}");
        for stages in chosen.iter().filter(|stages| stages.as_str() != ALL) {
            let words: Vec<&str> = stages.split(',').collect();
            assert!(words.len() <= AT_MOST, "{stages}");
            assert!(words.iter().all(|word| Stage::parse(word).is_some()));
        }
    }
}
