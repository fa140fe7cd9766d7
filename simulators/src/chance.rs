//! What looks like chance, and is repeated by the same seed.

/// A well-mixed word of the seed, the row and what is being chosen.
pub(crate) fn mix(seed: u64, row: u64, what: u64) -> u64 {
    let mut state = seed ^ row.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ what.wrapping_mul(0xD1B5_4A32_D192_ED03);
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A made-up secret of letters and digits.
pub(crate) fn secret(seed: u64, what: u64, length: u64) -> String {
    (0..length).map(|place| LETTERS[(mix(seed, what, 100 + place) % 62) as usize] as char).collect()
}
