//! Ids: 18 or 19 digits, of the org, what the record belongs to, and its number there.

use crate::chance::mix;

/// What numbers of records leave room for.
const NUMBERS: u64 = 1_000_000_000;
const ORG: u64 = 1_000 * NUMBERS;

/// Users, by their number, have ids as if they were a module's; so have other things that no module holds.
pub(crate) const USERS: u16 = 900;
pub(crate) const PROFILES: u16 = 901;
pub(crate) const ROLES: u16 = 902;
pub(crate) const LAYOUTS: u16 = 903;
pub(crate) const JOBS: u16 = 904;
pub(crate) const TAGS: u16 = 905;
pub(crate) const STAGES: u16 = 906;
pub(crate) const PIPELINES: u16 = 907;
pub(crate) const FIELDS: u16 = 908;
pub(crate) const AUDITS: u16 = 909;
pub(crate) const MODULES: u16 = 910;

/// What all ids of an org begin with. Those of even seeds have 18 digits, the others 19.
pub(crate) fn prefix(seed: u64) -> u64 {
    let number = mix(seed, 1, 0x1D);
    if seed.is_multiple_of(2) { 400_000 + number % 500_000 } else { 4_000_000 + number % 5_000_000 }
}

/// The id of record `number` of module `module`.
pub(crate) fn full(prefix: u64, module: u16, number: u64) -> u64 {
    prefix * ORG + u64::from(module) * NUMBERS + number
}

/// Module and number of an id; `None` for one of another org, or no id at all.
pub(crate) fn parts(prefix: u64, id: u64) -> Option<(u16, u64)> {
    let rest = id.checked_sub(prefix * ORG).filter(|&rest| rest < ORG)?;
    Some((u16::try_from(rest / NUMBERS).ok()?, rest % NUMBERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_apart_again() {
        for seed in [1, 2, 3, 4] {
            let id = full(prefix(seed), 905, 17);
            assert_eq!(id.to_string().len(), if seed % 2 == 0 { 18 } else { 19 });
            assert_eq!(parts(prefix(seed), id), Some((905, 17)));
            assert_eq!(parts(prefix(seed + 10), id), None);
        }
    }
}
