//! The memory allocator of nenrin's programs: mimalloc, told to give memory back at once, and in small pages.
//!
//! A sync works in batches of tens of megabytes that come and go. glibc keeps the largest one per thread that ever
//! saw one, mimalloc by default keeps what was freed for ten seconds; both make a process that needs 250 MiB hold
//! twice that. Pages of 2 MiB in place of 4 KiB, which Linux gives to whoever asks for much, are held for as long as
//! one byte in them is. Measured with `cargo bench --bench memory`, see `docs/benchmarks.md`.

pub use mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 3, in its enumeration of options.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Freed memory goes back to the system after so many milliseconds, times ten.
const DELAY_MS: std::ffi::c_long = 1;

/// Sets the allocator up; called first thing by `main`. What the environment names (`MIMALLOC_PURGE_DELAY`,
/// `MIMALLOC_ALLOW_THP`) stays.
pub fn give_back_soon() {
    #[cfg(target_os = "linux")]
    if std::env::var_os("MIMALLOC_ALLOW_THP").is_none() {
        // SAFETY: sets a flag of this process that no memory in use depends on. A kernel that does not know it
        // refuses, and all is as it was.
        unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1_u64, 0_u64, 0_u64, 0_u64) };
    }
    if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
        // SAFETY: sets a number in the allocator's table of options, which it reads anew whenever it frees; the
        // index lies within the table of the version that is linked.
        unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, DELAY_MS) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // One test: what is set up is the whole process's, and tests run side by side.
    #[test]
    fn the_option_is_the_one_that_is_meant_and_large_pages_are_refused() {
        // The default of no other option is 1,000.
        // SAFETY: reads a number of the table.
        let before = unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(before, 1_000, "mimalloc moved its options: look the index up again");
        give_back_soon();
        // SAFETY: as above.
        assert_eq!(unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) }, DELAY_MS);
        #[cfg(target_os = "linux")]
        {
            // SAFETY: reads the flag.
            let refused = unsafe { libc::prctl(libc::PR_GET_THP_DISABLE, 0_u64, 0_u64, 0_u64, 0_u64) };
            assert_eq!(refused, 1);
        }
    }
}
