//! What the operating system says of this process and of its disk. Where it says nothing (no `/proc`, no Unix), the figure is
//! missing, and not zero.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fs;
use std::path::Path;

/// Ticks a second in `/proc`: Linux gives programs this number on every architecture that Rust has a toolchain for.
const TICKS: f64 = 100.0;

/// Bytes that an ordinary user can still write to the file system on which `path` is.
pub fn free_bytes(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let disk = rustix::fs::statvfs(path).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Figures of this process under the names that Prometheus' own clients give them, read at each scrape.
#[derive(Debug)]
pub(super) struct ProcessCollector;

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let gauges = [
            ("process_resident_memory_bytes", "Memory of the process that is in RAM.", resident_bytes()),
            ("process_open_fds", "Files and sockets that the process has open.", open_files()),
            ("process_max_fds", "Files and sockets that it may have open.", max_open_files()),
        ];
        for (name, help, value) in gauges {
            let Some(value) = value else { continue };
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let kind = prometheus_client::metrics::MetricType::Gauge;
            gauge.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        if let Some(seconds) = cpu_seconds() {
            let counter = ConstCounter::new(seconds);
            let kind = prometheus_client::metrics::MetricType::Counter;
            let help = "CPU time that the process has used.";
            counter.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, kind)?)?;
        }
        Ok(())
    }
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

fn open_files() -> Option<u64> {
    // The folder itself is open while it is read.
    Some((fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1))
}

fn max_open_files() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name, in brackets, may hold spaces. Behind it user and system time are the 12th and 13th.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11).map_while(|field| field.parse::<f64>().ok());
    Some((fields.next()? + fields.next()?) / TICKS)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_this_process_are_those_of_the_system() {
        assert!(resident_bytes().unwrap() > 1 << 20);
        let files: Vec<_> = (0..100).map(|_| tempfile::tempfile().unwrap()).collect();
        // Other tests open and close files meanwhile.
        assert!(open_files().unwrap() >= files.len() as u64);
        assert!(max_open_files().unwrap() >= open_files().unwrap());
        assert!(cpu_seconds().unwrap() < 1e6);
        assert!(free_bytes(Path::new("/")).is_some() && free_bytes(Path::new("/nothing/here")).is_none());
    }
}
