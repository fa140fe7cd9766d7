//! Which process we are, so that others can tell when it has died.
//!
//! A lease outlives a process that was killed. On Linux the process that wrote it can be looked up: same
//! boot, same process namespace and user as ours, and nobody there with that id and start time means
//! that it is gone for certain. Everywhere else a lease just has to run out.

use std::fmt;
use std::fs;

/// What identifies a process for as long as a machine runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    host: String,
    pid: u32,
    /// Boot, namespace, user and start time; `None` where they cannot be known.
    birth: Option<Birth>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Birth {
    world: String,
    start: String,
}

impl Process {
    /// This process.
    pub(super) fn this() -> Process {
        let pid = std::process::id();
        let birth = world().zip(start_of(pid)).map(|(world, start)| Birth { world, start });
        Process { host: host(), pid, birth }
    }

    /// The machine and process id, for people.
    pub(super) fn label(&self) -> String {
        format!("{}:{}", self.host, self.pid)
    }

    /// Whether the process that `written` stands for has died for certain, as seen from this one.
    pub(super) fn knows_dead(&self, written: &str) -> bool {
        let Some(mine) = &self.birth else { return false };
        let mut parts = written.split('|');
        let (Some(pid), Some(world), Some(start)) = (parts.next(), parts.next(), parts.next()) else { return false };
        let Ok(pid) = pid.parse::<u32>() else { return false };
        world == mine.world && start_of(pid).as_deref() != Some(start)
    }
}

impl fmt::Display for Process {
    /// What [`Process::knows_dead`] reads; empty when it could not tell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.birth {
            Some(birth) => write!(f, "{}|{}|{}", self.pid, birth.world, birth.start),
            None => Ok(()),
        }
    }
}

fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this-host".to_owned())
}

/// What processes must share to see each other in `/proc`: one boot, process namespace and user.
#[cfg(target_os = "linux")]
fn world() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    let user = fs::metadata("/proc/self").ok()?.uid();
    Some(format!("{} {} {user}", boot.trim(), namespace.display()))
}

#[cfg(not(target_os = "linux"))]
fn world() -> Option<String> {
    None
}

/// When the process began, in ticks since the boot; `None` when there is none, or only its remains.
fn start_of(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in brackets and may hold anything; the state comes after it.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_runs_is_not_known_dead() {
        let this = Process::this();
        assert!(!this.knows_dead(&this.to_string()));
    }

    #[test]
    fn a_process_that_was_killed_is_known_dead_even_before_its_parent_looks() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let this = Process::this();
        let other = Process {
            pid: child.id(),
            birth: world().zip(start_of(child.id())).map(|(world, start)| Birth { world, start }),
            ..this.clone()
        };
        assert!(!this.knows_dead(&other.to_string()));
        child.kill().unwrap();
        while start_of(child.id()).is_some() {
            std::thread::yield_now();
        }
        assert!(this.knows_dead(&other.to_string()));
        child.wait().unwrap();
        assert!(this.knows_dead(&other.to_string()));
    }

    #[test]
    fn a_process_of_another_machine_is_never_judged() {
        let this = Process::this();
        assert!(!this.knows_dead("1|another boot|5"));
        assert!(!this.knows_dead(""));
    }
}
