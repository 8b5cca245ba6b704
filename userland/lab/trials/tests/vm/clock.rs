// SPDX-License-Identifier: GPL-2.0

//! What xcap says of the clock.

use crate::labs::{On, World};
use crate::world::{fresh, receivers, report, Stages};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use xcap_machines::{Guest, Place};

/// A second domU, as a configuration without `tsc_mode` makes it, which says what xcap says and ends.
const DEFAULT_CLOCK: &str = r#"
cd /tmp
cat >clock.sh <<'END'
#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
insmod /lab/xcap.ko stages=copy_user
grep '^# tsc' /sys/kernel/debug/xcap/stats
xcap-read --json | grep -o 'Xen traps[^"]*"[^"]*"'
echo over
poweroff -f
END
chmod +x clock.sh
echo clock.sh | cpio -o -H newc 2>/dev/null | gzip >more.cpio.gz
{ cat /lab/domU-initramfs; cat more.cpio.gz; } >clock.initramfs
sed -e '/^tsc_mode/d; /^vif/d; s/^name = .*/name = "clock"/; s/^ramdisk = .*/ramdisk = "\/tmp\/clock.initramfs"/' \
	-e 's/^extra = "/extra = "rdinit=\/clock.sh /' /lab/domU.cfg >clock.cfg
xl create clock.cfg >&2
path=/local/domain/$(xl domid clock)/console/tty
until tty=$(xenstore-read "$path" 2>/dev/null) && [ -n "$tty" ]; do sleep 0.02; done
# In a child: opened by the first process of a session, a terminal would take it along when it goes.
(
	while read -r line; do
		echo "$line"
		case $line in over*) break ;; esac
	done <"$tty"
)
xl destroy clock 2>/dev/null
rm -f clock.initramfs
"#;

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial("a_native_clock_is_not_called_trapped", On::Xen, |lab| {
            receivers(lab).into_iter().try_for_each(native)
        }),
        world.trial("a_trapped_clock_is_seen_and_warned_of", On::Xen, |lab| {
            trapped(lab.guest(Place::Dom0))
        }),
    ]
}

fn native(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    let report = report(guest)?;
    let tsc = report.tsc.as_ref().context("nothing is said of the TSC")?;
    ensure!(
        !tsc.trapped,
        "{}: a native TSC is called trapped: {tsc:?}",
        guest.name()
    );
    ensure!(
        !report
            .warnings
            .iter()
            .any(|warning| warning.contains("traps")),
        "{}: {:?}",
        guest.name(),
        report.warnings
    );
    Ok(())
}

fn trapped(dom0: &Guest) -> Result<()> {
    let said = dom0.sh(DEFAULT_CLOCK)?;
    ensure!(
        said.contains(" trapped=1 "),
        "a trapped TSC is not seen: {said}"
    );
    ensure!(
        said.contains("Xen traps") && said.contains("tsc_mode=") && said.contains("native"),
        "xcap-read doesn't say what to do: {said}"
    );
    Ok(())
}
