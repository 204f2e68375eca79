//! The process metrics that Prometheus clients share.

use std::fmt;

use super::text::Text;

/// The encoded text.
pub(super) fn written() -> Result<String, fmt::Error> {
    let mut text = Text::bare();
    describe(&mut text);
    text.written()
}

/// Adds the metrics, on Linux.
#[cfg(target_os = "linux")]
fn describe(text: &mut Text) {
    use procfs::process::{LimitValue, Process};

    use super::text::one;

    let Ok(process) = Process::myself() else { return };
    if let Ok(stat) = process.stat() {
        let ticks = procfs::ticks_per_second() as f64;
        let cpu = (stat.utime + stat.stime) as f64 / ticks;
        text.counter("process_cpu_seconds", "CPU time, of user and system", one(cpu));
        let memory = (stat.rss * procfs::page_size()) as f64;
        text.gauge("process_resident_memory_bytes", "Memory in use", one(memory));
        text.gauge("process_virtual_memory_bytes", "Memory reserved", one(stat.vsize as f64));
        text.gauge("process_threads", "Threads", one(stat.num_threads as f64));
        if let Ok(boot) = procfs::boot_time_secs() {
            let start = boot as f64 + stat.starttime as f64 / ticks;
            text.gauge("process_start_time_seconds", "Start of the process", one(start));
        }
    }
    if let Ok(open) = process.fd_count() {
        text.gauge("process_open_fds", "Open file descriptors", one(open as f64));
    }
    if let Ok(limits) = process.limits()
        && let LimitValue::Value(most) = limits.max_open_files.soft_limit
    {
        text.gauge("process_max_fds", "Maximum number of open file descriptors", one(most as f64));
    }
}

/// Adds nothing: other systems have no /proc.
#[cfg(not(target_os = "linux"))]
fn describe(_: &mut Text) {}
