// SPDX-License-Identifier: GPL-2.0

//! What waits for calls to return: never for ever.

use crate::world::{reload, report, On, World};
use anyhow::{ensure, Result};
use libtest_mimic::Trial;
use xcap_machines::scenario::{control, CONTROL};
use xcap_machines::{Guest, Place};

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial("what_may_not_return_gets_no_trampoline", On::Bare, |lab| {
            not_returning(lab.guest(Place::Bare))
        }),
    ]
}

fn not_returning(guest: &Guest) -> Result<()> {
    reload(guest)?;
    for function in ["do_exit", "do_group_exit", "get_signal", "do_idle"] {
        let add = format!("echo add {function} as ending backend=direct >{CONTROL}");
        let output = guest.run(&["sh", "-c", &add])?;
        let said = output.error_text();
        ensure!(
            !output.success() && said.contains("not supported"),
            "{function}: {}",
            said.trim()
        );
    }
    // Others leave the calls with the kernel.
    control(guest, "add do_exit")?;
    guest.sh("sh -c 'exit 0'")?;
    let ends = report(guest)?
        .stage("do_exit")
        .map_or(0, |stage| stage.entries);
    ensure!(ends > 0, "no task was seen to end");
    guest.sh("rmmod xcap")?;
    reload(guest)
}
