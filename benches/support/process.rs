//! What the kernel says about a process: processor time used, memory at its greatest.

/// Processor seconds that the process `pid` (`self`: this one) has used, all its threads together.
pub(crate) fn cpu_secs(pid: &str) -> f64 {
    secs(pid, 2)
}

/// The same with what its children have used that have ended.
#[allow(dead_code, reason = "not every benchmark has a server with processes of its own")]
pub(crate) fn family_cpu_secs(pid: &str) -> f64 {
    secs(pid, 4)
}

fn secs(pid: &str, numbers: usize) -> f64 {
    // Linux counts in hundredths of a second wherever it is asked this way.
    const TICKS_PER_SEC: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in brackets, may hold anything; the numbers follow it.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after_name.split_whitespace().skip(11).take(numbers).filter_map(|word| word.parse::<f64>().ok()).sum();
    ticks / TICKS_PER_SEC
}

/// The most memory that the process `pid` has had resident so far, in MiB; `None` when it has ended.
pub(crate) fn peak_mib(pid: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
    Some(kib / 1_024.0)
}
