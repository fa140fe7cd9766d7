//! The kinds of records there are, and their keys.

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// 契約, keys like `K0000001`.
    Contracts,
    /// The lines of a contract, by the contract's key.
    Lines,
    /// Keys are numbers.
    Invoices,
    /// Keys are numbers.
    Partners,
    /// 勘定科目; keys are numbers.
    Accounts,
    /// Keys like `P1`.
    Plans,
    /// Readings; keys like `C01003/2026-10-01`.
    Usage,
}

impl Kind {
    pub(crate) const ALL: [Kind; 7] =
        [Kind::Contracts, Kind::Lines, Kind::Invoices, Kind::Partners, Kind::Accounts, Kind::Plans, Kind::Usage];

    /// What it is called where the simulator is looked at.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Contracts => "contracts",
            Kind::Lines => "lines",
            Kind::Invoices => "invoices",
            Kind::Partners => "partners",
            Kind::Accounts => "accounts",
            Kind::Plans => "plans",
            Kind::Usage => "usage",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The key of the record with that number; of readings only the number.
    pub(crate) fn key(self, id: u64) -> String {
        match self {
            Kind::Contracts | Kind::Lines => format!("K{id:07}"),
            Kind::Plans => format!("P{id}"),
            Kind::Invoices | Kind::Partners | Kind::Accounts | Kind::Usage => id.to_string(),
        }
    }

    /// The number in a key; not for readings.
    pub(crate) fn id(self, key: &str) -> Option<u64> {
        let digits = match self {
            Kind::Contracts | Kind::Lines => key.strip_prefix('K').filter(|digits| digits.len() >= 7)?,
            Kind::Plans => key.strip_prefix('P')?,
            _ => key,
        };
        digits.parse().ok().filter(|&id| self.key(id) == key)
    }

    /// The member that holds a record's key.
    pub(crate) fn key_name(self) -> &'static str {
        match self {
            Kind::Contracts | Kind::Lines => "契約番号",
            _ => "id",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_round_trip_and_others_are_none() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
            assert_eq!(kind.id(&kind.key(12)), Some(12));
        }
        assert_eq!(Kind::Contracts.id("K12345678"), Some(12_345_678));
        assert_eq!((Kind::Contracts.id("K12"), Kind::Contracts.id("12"), Kind::Invoices.id("012")), (None, None, None));
    }
}
