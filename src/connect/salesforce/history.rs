//! The history objects: what Salesforce itself remembers of how fields changed.
//!
//! They are read like any object, and their records are facts about the records of another one (semantics C).
//! `OpportunityHistory` is always on and holds a few fields as they were from an instant on; the others hold one change
//! each, of the fields that an administrator chose to track.

use crate::record::{FactShape, Facts};

/// The fields that `OpportunityHistory` shares with `Opportunity`.
const OPPORTUNITY: [&str; 6] =
    ["StageName", "Amount", "ExpectedRevenue", "CloseDate", "Probability", "ForecastCategory"];

/// The objects that hold facts about the records of `object`.
pub fn facts_about(object: &str) -> Vec<Facts> {
    let changes = |stream: String, key: String| Facts {
        stream,
        key,
        at: "CreatedDate".into(),
        shape: FactShape::Change { field: "Field".into(), old: "OldValue".into(), new: "NewValue".into() },
    };
    if object == "Opportunity" {
        let fields = OPPORTUNITY.map(|name| (name.to_owned(), name.to_owned())).to_vec();
        let states = Facts {
            stream: "OpportunityHistory".into(),
            key: "OpportunityId".into(),
            at: "CreatedDate".into(),
            shape: FactShape::State { fields },
        };
        return vec![changes("OpportunityFieldHistory".into(), "OpportunityId".into()), states];
    }
    match object.strip_suffix("__c") {
        Some(name) => vec![changes(format!("{name}__History"), "ParentId".into())],
        None => vec![changes(format!("{object}History"), format!("{object}Id"))],
    }
}

/// Whether the object's records are facts: they are written once, and what Salesforce forgets of them we keep.
pub(super) fn is_history(object: &str) -> bool {
    object.ends_with("History") && object != "LoginHistory"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_told_its_history() {
        let of = |object| facts_about(object).into_iter().map(|facts| (facts.stream, facts.key)).collect::<Vec<_>>();
        let pair = |stream: &str, key: &str| (stream.to_owned(), key.to_owned());
        assert_eq!(of("Account"), [pair("AccountHistory", "AccountId")]);
        assert_eq!(of("ns__Plan__c"), [pair("ns__Plan__History", "ParentId")]);
        assert_eq!(
            of("Opportunity"),
            [pair("OpportunityFieldHistory", "OpportunityId"), pair("OpportunityHistory", "OpportunityId")]
        );
        assert!(is_history("Plan__History") && is_history("CaseHistory") && !is_history("Account"));
    }
}
