//! The threads that everything runs on.

use std::io;
use std::thread;

use tokio::runtime::{Builder, Runtime};

/// The runtime of the program.
///
/// Threads for heavy work are few. Tokio would start up to 512 of them, and the allocator keeps some memory for each that
/// ever worked: a first load of two million records had 50 of them in the end, and twice the memory. They are more than
/// there are cores, since some wait for disks and for names of hosts.
///
/// # Errors
///
/// When the system gives no threads.
pub fn build() -> io::Result<Runtime> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread().max_blocking_threads(2 * cores + 2).enable_all().build()
}
