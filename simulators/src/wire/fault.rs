//! Faults on order: which call fails, and how often. What goes wrong is each system's own affair.

use std::sync::Arc;

use tokio::sync::watch;

/// What can go wrong in a system.
pub(crate) trait Trouble: Clone {
    /// Whether the call waits at a gate.
    fn stalls(&self) -> bool;
}

/// A fault, and the calls that it hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault<K> {
    /// What goes wrong.
    pub kind: K,
    /// A text that the call's `METHOD path?decoded query` must contain; `*` stands for any text, empty matches all.
    pub pattern: String,
    /// How many matching calls pass before it strikes.
    pub after: u64,
    /// How many matching calls it hits.
    pub times: u64,
}

impl<K> Fault<K> {
    /// A fault that hits the next call that matches.
    pub fn once(kind: K, pattern: &str) -> Self {
        Fault { kind, pattern: pattern.to_owned(), after: 0, times: 1 }
    }

    /// A fault that hits every call that matches.
    pub fn always(kind: K, pattern: &str) -> Self {
        Fault { times: u64::MAX, ..Fault::once(kind, pattern) }
    }

    /// The same, but only from the `nth` (first: 1) matching call on.
    #[allow(clippy::wrong_self_convention, reason = "it reads as a sentence where faults are armed")]
    pub fn from_call(self, nth: u64) -> Self {
        Fault { after: nth.saturating_sub(1), ..self }
    }

    /// The same, for that many matching calls.
    pub fn times(self, times: u64) -> Self {
        Fault { times, ..self }
    }
}

/// The gate of a fault that makes calls wait.
#[derive(Debug, Clone)]
pub struct Stall {
    arrived: Arc<watch::Sender<u64>>,
    opened: Arc<watch::Sender<bool>>,
}

impl Default for Stall {
    fn default() -> Self {
        Stall::new()
    }
}

impl Stall {
    /// A gate that is closed.
    pub fn new() -> Self {
        Stall { arrived: Arc::new(watch::Sender::new(0)), opened: Arc::new(watch::Sender::new(false)) }
    }

    /// Waits until a call stands at the gate.
    pub async fn reached(&self) {
        let _ = self.arrived.subscribe().wait_for(|&arrived| arrived > 0).await;
    }

    /// Lets all calls through, those that wait and those to come.
    pub fn open(&self) {
        self.opened.send_replace(true);
    }

    /// Stands at the gate until it is open.
    pub async fn pass(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
        let _ = self.opened.subscribe().wait_for(|&opened| opened).await;
    }
}

/// A fault that waits for its calls.
#[derive(Debug)]
pub(crate) struct Armed<K> {
    fault: Fault<K>,
    seen: u64,
    pub(crate) stall: Option<Stall>,
}

impl<K: Trouble> Armed<K> {
    pub(crate) fn new(fault: Fault<K>) -> Self {
        let stall = fault.kind.stalls().then(Stall::new);
        Armed { fault, seen: 0, stall }
    }

    /// Whether it is through with all its calls.
    pub(crate) fn is_spent(&self) -> bool {
        self.seen >= self.fault.after.saturating_add(self.fault.times)
    }
}

/// What strikes a call.
#[derive(Debug)]
pub(crate) struct Strikes<K> {
    pub(crate) kinds: Vec<K>,
    pub(crate) stall: Option<Stall>,
}

/// Counts the call at every armed fault and returns those that strike it.
pub(crate) fn strike<K: Trouble>(faults: &mut Vec<Armed<K>>, call: &str) -> Strikes<K> {
    let mut strikes = Strikes { kinds: Vec::new(), stall: None };
    for armed in faults.iter_mut().filter(|armed| matches(call, &armed.fault.pattern)) {
        armed.seen += 1;
        if armed.seen > armed.fault.after && armed.seen <= armed.fault.after.saturating_add(armed.fault.times) {
            strikes.kinds.push(armed.fault.kind.clone());
            strikes.stall = armed.stall.clone().or(strikes.stall);
        }
    }
    faults.retain(|armed| !armed.is_spent() || armed.stall.is_some());
    strikes
}

/// Opens all gates.
pub(crate) fn open_stalls<K: Trouble>(faults: &mut Vec<Armed<K>>) {
    faults.iter().filter_map(|armed| armed.stall.as_ref()).for_each(Stall::open);
    faults.retain(|armed| armed.stall.is_none() || !armed.is_spent());
}

/// Whether the pieces of the pattern, between `*`, come in order in the call.
pub(crate) fn matches(call: &str, pattern: &str) -> bool {
    let mut rest = call;
    pattern.split('*').all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}

/// A fault as written on a command line, `KIND[=ARGUMENT][@PATTERN][#CALLS]`, taken apart.
#[derive(Debug)]
pub(crate) struct Spec<'a> {
    whole: &'a str,
    pub(crate) name: &'a str,
    argument: Option<&'a str>,
    pattern: Option<&'a str>,
    after: u64,
    times: u64,
}

impl<'a> Spec<'a> {
    pub(crate) fn parse(whole: &'a str) -> Result<Self, String> {
        let (rest, calls) = whole.rsplit_once('#').unwrap_or((whole, "1"));
        let (kind, pattern) = rest.split_once('@').map_or((rest, None), |(kind, pattern)| (kind, Some(pattern)));
        let (name, argument) = kind.split_once('=').map_or((kind, None), |(name, text)| (name, Some(text)));
        let (after, times) =
            parse_calls(calls).ok_or_else(|| format!("`{calls}` in fault `{whole}` is not like 3, 3-5 or 3+"))?;
        Ok(Spec { whole, name, argument, pattern, after, times })
    }

    /// The text after `=`.
    pub(crate) fn text(&self) -> Result<&'a str, String> {
        self.argument.ok_or_else(|| format!("fault `{0}` needs a value, like `{0}=CB_VA01`", self.name))
    }

    /// The number after `=`, if there is one.
    pub(crate) fn number(&self) -> Result<Option<u64>, String> {
        let parse = |text: &str| text.parse().map_err(|_| format!("`{text}` in fault `{}` is no number", self.whole));
        self.argument.map(parse).transpose()
    }

    /// The number after `=`, which must be there.
    pub(crate) fn needed(&self) -> Result<u64, String> {
        self.number()?.ok_or_else(|| format!("fault `{0}` needs a number, like `{0}=200`", self.name))
    }

    /// The same, for counts of things in memory.
    pub(crate) fn size(&self) -> Result<usize, String> {
        Ok(usize::try_from(self.needed()?).unwrap_or(usize::MAX))
    }

    /// The HTTP status after `=`.
    pub(crate) fn status(&self) -> Result<u16, String> {
        let number = self.needed()?;
        u16::try_from(number)
            .ok()
            .filter(|status| (200..=599).contains(status))
            .ok_or_else(|| format!("`{number}` in fault `{}` is no HTTP status", self.whole))
    }

    /// The fault, of that kind; where the spec has no pattern, `default` is meant.
    pub(crate) fn fault<K>(&self, kind: K, default: &str) -> Fault<K> {
        let pattern = self.pattern.unwrap_or(default).to_owned();
        Fault { kind, pattern, after: self.after, times: self.times }
    }
}

fn parse_calls(calls: &str) -> Option<(u64, u64)> {
    let nth = |text: &str| text.parse::<u64>().ok().filter(|&nth| nth > 0);
    if let Some(first) = calls.strip_suffix('+') {
        return Some((nth(first)? - 1, u64::MAX));
    }
    match calls.split_once('-') {
        Some((first, last)) => {
            let (first, last) = (nth(first)?, nth(last)?);
            Some((first - 1, last.checked_sub(first)? + 1))
        }
        None => Some((nth(calls)? - 1, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Trouble for () {
        fn stalls(&self) -> bool {
            false
        }
    }

    #[test]
    fn patterns_match_pieces_in_order() {
        assert!(matches("GET /a/query?q=SELECT Id FROM Account", "/query*FROM Account"));
        assert!(!matches("GET /a/query?q=SELECT Id FROM Account", "FROM Account*/query"));
        assert!(matches("GET /a", ""));
    }

    #[test]
    fn a_fault_strikes_only_its_calls() {
        let mut faults = vec![Armed::new(Fault::once((), "/q").from_call(2).times(2))];
        let struck: Vec<bool> = (0..5).map(|_| !strike(&mut faults, "GET /q").kinds.is_empty()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
    }
}
