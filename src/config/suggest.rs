//! What was probably meant.

/// The candidate that `word` was probably meant to be: equal but for case, or few edits away.
pub fn closest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let lower = word.to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

/// "did you mean" where a candidate is close, else the candidates where they are few.
pub fn advice<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(candidate) = closest(word, candidates.iter().copied()) {
        return Some(format!("did you mean `{candidate}`?"));
    }
    match candidates.len() {
        0 => None,
        1..=12 => Some(format!("there is {}", quoted_list(&candidates))),
        _ => Some(format!("there is {}, …", quoted_list(&candidates[..12]))),
    }
}

/// The words in back quotes with commas between.
pub fn quoted_list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swapped_pair_of_letters_is_close_and_another_word_is_not() {
        assert_eq!(closest("emial", ["name", "email", "mail"]), Some("email"));
        assert_eq!(closest("Email", ["name", "email"]), Some("email"));
        assert_eq!(closest("売上高", ["売上", "単価"]), Some("売上"));
        assert_eq!(closest("x", ["name", "email"]), None);
    }
}
