// SPDX-License-Identifier: GPL-2.0

//! The words of the files: each is one field, means one thing, and reads back as what it was.

use std::collections::HashSet;

use proptest::prelude::*;
use xcap_abi::backend::{Backend, Choice};
use xcap_abi::reason::Reason;
use xcap_abi::role::Role;
use xcap_abi::stage::Stage;
use xcap_abi::state::State;

macro_rules! is_vocabulary {
    ($name:ident, $type:ident) => {
        #[test]
        fn $name() {
            let mut seen = HashSet::new();
            for value in $type::ALL {
                let word = value.word();
                assert!(
                    !word.is_empty() && word != "-" && !word.starts_with('#'),
                    "{word:?}"
                );
                assert!(!word.contains(char::is_whitespace), "{word:?} is no field");
                assert!(seen.insert(word), "{word} is said of two");
                assert_eq!($type::parse(word), Some(value));
            }
        }
    };
}

is_vocabulary!(stages_have_words, Stage);
is_vocabulary!(states_have_words, State);
is_vocabulary!(reasons_have_words, Reason);
is_vocabulary!(roles_have_words, Role);
is_vocabulary!(backends_have_words, Backend);

#[test]
fn every_reason_has_a_sentence_of_its_own() {
    let sentences = Reason::ALL.map(Reason::sentence);
    assert!(sentences.iter().all(|sentence| !sentence.is_empty()));
    assert_eq!(HashSet::from(sentences).len(), sentences.len());
}

#[test]
fn every_choice_reads_back() {
    let choices = Backend::ALL.map(Choice::This).into_iter();
    for choice in choices.chain([Choice::Auto]) {
        assert_eq!(Choice::parse(choice.word()), Some(choice));
    }
}

proptest! {
    /// A newer module's word, or an added probe's name, is neither an error nor another word.
    #[test]
    fn what_is_not_known_is_none(word in "[!-~]{0,20}") {
        let known = |parsed: Option<&str>| parsed.is_none_or(|parsed| parsed == word);
        prop_assert!(known(Stage::parse(&word).map(Stage::word)));
        prop_assert!(known(State::parse(&word).map(State::word)));
        prop_assert!(known(Reason::parse(&word).map(Reason::word)));
        prop_assert!(known(Role::parse(&word).map(Role::word)));
        prop_assert!(known(Choice::parse(&word).map(Choice::word)));
    }
}
