// SPDX-License-Identifier: GPL-2.0

//! The kernel's log, a record at a time.

use std::fs::File;
use std::io::{ErrorKind, Read};

const WARNING: u64 = 4;

/// Calls `take` with every record that comes from now on, and with earlier ones of warning level and worse.
pub fn follow(mut take: impl FnMut(String)) {
    let Ok(uptime) = std::fs::read_to_string("/proc/uptime") else {
        return;
    };
    let seconds: f64 = uptime
        .split(' ')
        .next()
        .and_then(|s| s.parse().ok())
        .unwrap_or(0.0);
    let start = (seconds * 1e6) as u64;
    let Ok(mut log) = File::open("/dev/kmsg") else {
        return;
    };
    let mut record = [0; 8192];
    loop {
        let n = match log.read(&mut record) {
            Ok(n) => n,
            // Records were overwritten before they were read: the next ones are still there.
            Err(e) if e.kind() == ErrorKind::BrokenPipe => continue,
            Err(_) => return,
        };
        let text = String::from_utf8_lossy(&record[..n]);
        if let Some((level, time, line)) = parse(&text) {
            if level <= WARNING || time >= start {
                take(format!(
                    "[{:5}.{:06}] {line}",
                    time / 1_000_000,
                    time % 1_000_000
                ));
            }
        }
    }
}

/// Level, microseconds since boot, text: `6,339,5140900,-;NET: Registered`.
fn parse(record: &str) -> Option<(u64, u64, &str)> {
    let (head, rest) = record.split_once(';')?;
    let mut fields = head.split(',');
    let priority: u64 = fields.next()?.parse().ok()?;
    let time = fields.nth(1)?.parse().ok()?;
    Some((priority & 7, time, rest.lines().next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_record_gives_level_time_and_first_line() {
        let record = "30,339,5140900,-;NET: Registered\n SUBSYSTEM=net\n";
        assert_eq!(parse(record), Some((6, 5_140_900, "NET: Registered")));
        assert_eq!(parse("no record"), None);
    }
}
