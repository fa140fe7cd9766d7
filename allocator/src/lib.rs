//! The memory allocator of nenrin's programs: mimalloc, told to give memory back at once.
//!
//! A sync works in batches of tens of megabytes that come and go. glibc keeps the largest one per thread that ever
//! saw one, mimalloc by default keeps what was freed for ten seconds; both make a process that needs 250 MiB hold
//! twice that. Measured with `cargo bench --bench memory`, see `docs/benchmarks.md`.

pub use mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 3, in its enumeration of options.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Freed memory goes back to the system after so many milliseconds, times ten.
const DELAY_MS: std::ffi::c_long = 1;

/// Sets the allocator up; called first thing by `main`. A delay that the environment names
/// (`MIMALLOC_PURGE_DELAY`) stays.
pub fn give_back_soon() {
    if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
        // SAFETY: sets a number in the allocator's table of options, which it reads anew whenever it frees; the
        // index lies within the table of the version that is linked.
        unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, DELAY_MS) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_the_one_that_is_meant() {
        // The default of no other option is 1,000.
        // SAFETY: reads a number of the table.
        let before = unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(before, 1_000, "mimalloc moved its options: look the index up again");
        give_back_soon();
        // SAFETY: as above.
        assert_eq!(unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) }, DELAY_MS);
    }
}
