//! The project folder that the demo leaves behind.
//!
//! Beside these files the demo writes what they refer to: `secrets/` with the simulator's address and
//! credentials, and `core/` with the core system's exports.

#[cfg(test)]
mod tests;

/// Path in the project folder and text of every file, in the order in which a reader may want to see them.
pub const FILES: [(&str, &str); 11] = [
    ("nenrin.yaml", include_str!("nenrin.yaml")),
    ("sources/salesforce.yaml", include_str!("sources/salesforce.yaml")),
    ("sources/core.yaml", include_str!("sources/core.yaml")),
    ("mappings/salesforce/Account.yaml", include_str!("mappings/salesforce/Account.yaml")),
    ("mappings/salesforce/Contact.yaml", include_str!("mappings/salesforce/Contact.yaml")),
    ("mappings/salesforce/Contract.yaml", include_str!("mappings/salesforce/Contract.yaml")),
    ("mappings/salesforce/Opportunity.yaml", include_str!("mappings/salesforce/Opportunity.yaml")),
    ("mappings/core/customers.yaml", include_str!("mappings/core/customers.yaml")),
    ("identity.yaml", include_str!("identity.yaml")),
    ("schemas/variables/login_rate.yaml", include_str!("schemas/variables/login_rate.yaml")),
    ("schemas/variables/unit_price.yaml", include_str!("schemas/variables/unit_price.yaml")),
];

/// The variable that the demo adds when all months are lived.
pub const LATER: (&str, &str) = ("schemas/variables/health_score.yaml", include_str!("later/health_score.yaml"));

/// Files that `sources/salesforce.yaml` refers to, and the keys under which the simulator's credentials
/// hold what belongs in them.
pub const SECRETS: [(&str, &str); 3] = [
    ("secrets/salesforce_login_url", "login_url"),
    ("secrets/salesforce_client_id", "client_id"),
    ("secrets/salesforce_client_secret", "client_secret"),
];
