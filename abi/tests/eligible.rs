// SPDX-License-Identifier: GPL-2.0

//! Which backends a function can have.

use proptest::prelude::*;
use xcap_abi::backend::{eligible, Arguments, Backend, Choice, Facts};
use xcap_abi::reason::Reason;

fn facts() -> impl Strategy<Value = Facts> {
    let arguments = prop_oneof![
        Just(Arguments::InRegisters),
        Just(Arguments::OnStack),
        Just(Arguments::Unknown),
    ];
    let bools = any::<(bool, bool, bool)>();
    (bools, arguments).prop_map(
        |((may_sleep, may_not_return, work_is_argument), arguments)| Facts {
            may_sleep,
            may_not_return,
            work_is_argument,
            arguments,
        },
    )
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Auto),
        prop::sample::select(Backend::ALL.as_slice()).prop_map(Choice::This),
    ]
}

proptest! {
    /// What the trampoline would break is never let in, whoever insists.
    #[test]
    fn direct_is_for_what_a_trampoline_can_call(choice in choice(), facts in facts()) {
        let callable = facts.arguments == Arguments::InRegisters
            && !facts.work_is_argument
            && !facts.may_not_return;
        if !callable {
            prop_assert!(eligible(Backend::Direct, choice, &facts).is_err());
        }
    }

    /// A call that sleeps in the trampoline pins the module: nobody gets that without asking.
    #[test]
    fn auto_never_puts_a_sleeper_in_the_trampoline(facts in facts()) {
        if facts.may_sleep {
            prop_assert_eq!(eligible(Backend::Direct, Choice::Auto, &facts), Err(Reason::MaySleep));
        }
    }

    /// So that what is expensive to know needn't be asked for.
    #[test]
    fn arguments_of_a_sleeper_do_not_matter_to_auto(facts in facts(), other in facts()) {
        let other = Facts { may_sleep: true, work_is_argument: facts.work_is_argument, ..other };
        let facts = Facts { may_sleep: true, ..facts };
        for backend in Choice::Auto.backends() {
            prop_assert_eq!(
                eligible(backend, Choice::Auto, &facts),
                eligible(backend, Choice::Auto, &other)
            );
        }
    }

    /// Every function can have some backend, unless one that it can't have was insisted on.
    #[test]
    fn auto_has_a_backend_for_every_function(facts in facts()) {
        let mut eligible = Choice::Auto
            .backends()
            .filter(|&backend| eligible(backend, Choice::Auto, &facts).is_ok());
        prop_assert!(eligible.next().is_some());
    }

    /// What insisting gets is what was insisted on.
    #[test]
    fn a_choice_of_one_tries_that_one(choice in choice()) {
        let tried: Vec<_> = choice.backends().collect();
        match choice {
            Choice::Auto => prop_assert_eq!(tried.len(), Backend::ALL.len()),
            Choice::This(backend) => prop_assert_eq!(tried, [backend]),
        }
    }

    /// Insisting on direct opens what sleeps, and nothing else.
    #[test]
    fn insisting_only_lets_sleepers_in(facts in facts()) {
        let auto = eligible(Backend::Direct, Choice::Auto, &facts);
        let insisted = eligible(Backend::Direct, Choice::This(Backend::Direct), &facts);
        if auto != insisted {
            prop_assert_eq!(auto, Err(Reason::MaySleep));
        }
    }
}
