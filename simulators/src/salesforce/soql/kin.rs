//! Which objects point to which, and under what name queries go the other way.

use crate::salesforce::store::Store;

/// The relationships by which other objects point to this one: name, object, lookup.
pub(crate) fn child_relationships(store: &Store, parent: usize) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (table, object) in store.tables.iter().enumerate() {
        for (slot, column) in object.columns.iter().enumerate() {
            let points_here = column.spec.reference_to.iter().any(|target| target == store.tables[parent].name);
            let name = match (column.spec.name.as_str(), object.name) {
                _ if object.history.is_some_and(|history| history.of_stages) => "OpportunityHistories".to_owned(),
                _ if object.history.is_some() => "Histories".to_owned(),
                ("AccountId", "Task" | "Event") => continue,
                ("ParentId", name) => format!("Child{}", plural(name)),
                (
                    "AccountId" | "ContactId" | "OpportunityId" | "CampaignId" | "LeadId" | "AssetId" | "Product2Id"
                    | "Pricebook2Id" | "WhatId" | "WhoId",
                    name,
                ) => plural(name),
                (name, _) if name.ends_with("__c") => format!("{}s__r", name.trim_end_matches("__c")),
                _ => continue,
            };
            if points_here && column.is_visible() {
                found.push((name, table, slot));
            }
        }
    }
    found
}

fn plural(name: &str) -> String {
    match name.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{name}s"),
    }
}
