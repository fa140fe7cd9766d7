//! Record ids: 15 characters that tell the object and the row, and three that guard their case.

use std::fmt::Write;

/// Where the ids of this org begin; rows of an object are numbered from 1 in the order of their ids.
const INSTANCE: &[u8; 2] = b"5i";
const FIRST: u64 = 18_000_000_000;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The first 15 characters of an id, which decide equality and order.
pub(crate) type Id15 = [u8; 15];

/// The 15 characters of row `serial` of the object with that key prefix; objects that share one tell their rows
/// apart by two characters more.
pub(crate) fn id15(prefix: &str, serial: u64) -> Id15 {
    let mut id = [b'0'; 15];
    id[3..5].copy_from_slice(INSTANCE);
    for (to, from) in id.iter_mut().zip(prefix.bytes()) {
        *to = from;
    }
    let mut rest = FIRST.saturating_add(serial);
    for place in id[5..].iter_mut().rev() {
        *place = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    id
}

/// The three check characters: per group of five, which of them are upper case.
pub(crate) fn checks(id: &Id15) -> [u8; 3] {
    let mut checks = [0; 3];
    for (check, group) in checks.iter_mut().zip(id.chunks(5)) {
        let bits = group
            .iter()
            .enumerate()
            .fold(0, |bits, (place, byte)| bits | (usize::from(byte.is_ascii_uppercase()) << place));
        *check = CHECKS[bits];
    }
    checks
}

/// Appends the 18 characters of row `serial`.
pub(crate) fn push(prefix: &str, serial: u64, out: &mut String) {
    let id = id15(prefix, serial);
    out.extend(id.iter().map(|&byte| byte as char));
    out.extend(checks(&id).iter().map(|&byte| byte as char));
}

/// The 18 characters of row `serial`.
pub(crate) fn full(prefix: &str, serial: u64) -> String {
    let mut out = String::with_capacity(18);
    push(prefix, serial, &mut out);
    out
}

/// Reads an id of 15 or 18 characters; an id with wrong check characters is none.
pub(crate) fn parse(text: &str) -> Option<Id15> {
    let bytes = text.as_bytes();
    if !matches!(bytes.len(), 15 | 18) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let id: Id15 = bytes.get(..15)?.try_into().ok()?;
    if bytes.len() == 18 && !checks(&id).eq_ignore_ascii_case(&bytes[15..]) {
        return None;
    }
    Some(id)
}

/// The last serial whose id is at most `id`, and whether it is that very id. Ids that sort before
/// all rows of the object give 0.
pub(crate) fn floor(prefix: &str, id: &Id15) -> (u64, bool) {
    let own = id15(prefix, 0);
    match id[..5].cmp(&own[..5]) {
        std::cmp::Ordering::Less => (0, false),
        std::cmp::Ordering::Greater => (u64::MAX, false),
        std::cmp::Ordering::Equal => {
            let number = id[5..].iter().fold(0u64, |number, byte| {
                let digit = DIGITS.iter().position(|known| known == byte).unwrap_or(0);
                number.saturating_mul(62).saturating_add(digit as u64)
            });
            match number.checked_sub(FIRST) {
                Some(serial) => (serial, serial > 0),
                None => (0, false),
            }
        }
    }
}

/// The serial of an id of the object with that prefix.
pub(crate) fn serial(prefix: &str, text: &str) -> Option<u64> {
    match floor(prefix, &parse(text)?) {
        (serial, true) => Some(serial),
        _ => None,
    }
}

/// An id that names something other than a row: a job, a cursor, an org.
pub(crate) fn opaque(prefix: &str, number: u64) -> String {
    let mut text = String::new();
    let _ = write!(text, "{}", full(prefix, number));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_characters_are_those_of_real_ids() {
        let id = parse("001D000000IRFma").unwrap();
        assert_eq!(&checks(&id), b"IAH");
        assert!(parse("001D000000IRFmaIAH").is_some());
        assert!(parse("001D000000IRFmaIAI").is_none());
    }

    #[test]
    fn ids_sort_like_their_serials_and_read_back() {
        let mut last = String::new();
        for serial in [1u64, 2, 61, 62, 63, 3_844, 1_000_000] {
            let id = full("001", serial);
            assert!(id > last, "{id} after {last}");
            assert_eq!(super::serial("001", &id), Some(serial));
            assert_eq!(super::serial("001", &id[..15]), Some(serial));
            last = id;
        }
    }

    #[test]
    fn a_bound_need_not_be_the_id_of_a_row() {
        assert_eq!(floor("001", &parse("000000000000000AAA").unwrap()), (0, false));
        assert_eq!(floor("001", &parse("zzzzzzzzzzzzzzz").unwrap()), (u64::MAX, false));
    }
}
