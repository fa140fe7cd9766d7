//! People as accounts: one person is an account and a contact that shadows it, and each says what the other says.

use crate::salesforce::edit::Written;
use crate::salesforce::id;
use crate::salesforce::state::State;
use crate::salesforce::value::Value;

/// Fields of the account and of the contact that hold the same; custom fields of contacts come besides.
const SHARED: [(&str, &str); 13] = [
    ("LastName", "LastName"),
    ("FirstName", "FirstName"),
    ("Salutation", "Salutation"),
    ("PersonEmail", "Email"),
    ("PersonMobilePhone", "MobilePhone"),
    ("PersonBirthdate", "Birthdate"),
    ("PersonTitle", "Title"),
    ("PersonMailingStreet", "MailingStreet"),
    ("PersonMailingCity", "MailingCity"),
    ("PersonMailingState", "MailingState"),
    ("PersonMailingPostalCode", "MailingPostalCode"),
    ("PersonMailingCountry", "MailingCountry"),
    ("OwnerId", "OwnerId"),
];

/// What a custom field of contacts is called on accounts: `Role__c` is `Role__pc`.
pub(crate) fn name_on_account(field: &str) -> Option<String> {
    field.strip_suffix("__c").map(|stem| format!("{stem}__pc"))
}

/// Whether that table is where people are accounts, or their contacts.
fn is_concerned(state: &State, table: usize) -> bool {
    state.options.features.person_accounts && matches!(state.store.tables[table].name, "Account" | "Contact")
}

fn slot(state: &State, object: &str, field: &str) -> Option<u16> {
    let table = &state.store.tables[state.store.find(object)?];
    Some(table.slot(field)? as u16)
}

/// Columns of the account and of the contact that hold the same.
fn shared(state: &State) -> Vec<(u16, u16)> {
    let named = SHARED.iter().map(|&(account, contact)| (account.to_owned(), contact.to_owned()));
    let contact = state.store.find("Contact").map(|table| &state.store.tables[table]);
    let custom = contact
        .into_iter()
        .flat_map(|table| &table.columns)
        .filter_map(|column| Some((name_on_account(&column.spec.name)?, column.spec.name.clone())));
    named
        .chain(custom)
        .filter_map(|(on_account, on_contact)| {
            Some((slot(state, "Account", &on_account)?, slot(state, "Contact", &on_contact)?))
        })
        .collect()
}

/// Makes `values` of a new account those of a person, if they have a family name: the account is named after the
/// person.
pub(crate) fn name(state: &State, table: usize, values: &mut Written) {
    if !is_concerned(state, table) || state.store.tables[table].name != "Account" {
        return;
    }
    let part = |name: &str| {
        let value = values.get(&slot(state, "Account", name)?)?;
        value.as_text().map(str::to_owned)
    };
    let (Some(family), Some(slot)) = (part("LastName"), slot(state, "Account", "Name")) else { return };
    let name = format!("{family} {}", part("FirstName").unwrap_or_default());
    values.insert(slot, Value::text(name.trim()));
}

/// The contact that a new account of a person needs: its table, serial and values. Notes it in the account's.
pub(crate) fn shadow(
    state: &mut State,
    table: usize,
    serial: u64,
    values: &mut Written,
) -> Option<(usize, u64, Written)> {
    if !is_concerned(state, table) || state.store.tables[table].name != "Account" {
        return None;
    }
    values.get(&slot(state, "Account", "LastName")?).filter(|name| !name.is_null())?;
    let contacts = state.store.find("Contact")?;
    let shadow = state.store.tables[contacts].next_serial();
    let mut own: Written = shared(state)
        .into_iter()
        .filter_map(|(account, contact)| Some((contact, values.get(&account)?.clone())))
        .collect();
    own.insert(slot(state, "Contact", "IsPersonAccount")?, Value::Bool(true));
    own.insert(slot(state, "Contact", "AccountId")?, Value::text(&id::full(state.store.tables[table].prefix, serial)));
    values.insert(slot(state, "Account", "IsPersonAccount")?, Value::Bool(true));
    let shadow_id = id::full(state.store.tables[contacts].prefix, shadow);
    values.insert(slot(state, "Account", "PersonContactId")?, Value::text(&shadow_id));
    Some((contacts, shadow, own))
}

/// The other half of a person: the contact of an account or the account of a contact.
pub(crate) fn other_half(state: &State, table: usize, serial: u64) -> Option<(usize, u64)> {
    if !is_concerned(state, table) {
        return None;
    }
    let object = &state.store.tables[table];
    let moment = state.moment();
    let view = object.view(serial, &moment)?;
    let held = |name: &str| Some(state.store.value(table, &view, object.slot(name)?, &moment));
    if !matches!(held("IsPersonAccount")?, Value::Bool(true)) {
        return None;
    }
    let pointer = held(if object.name == "Account" { "PersonContactId" } else { "AccountId" })?;
    state.store.by_id(pointer.as_text()?)
}

/// What the other half of a person must be told when `values` are written to this one.
pub(crate) fn mirrored(state: &State, table: usize, serial: u64, values: &Written) -> Option<(usize, u64, Written)> {
    let (other, row) = other_half(state, table, serial)?;
    let is_account = state.store.tables[table].name == "Account";
    let told: Written = shared(state)
        .into_iter()
        .filter_map(|(account, contact)| {
            let (from, to) = if is_account { (account, contact) } else { (contact, account) };
            Some((to, values.get(&from)?.clone()))
        })
        .collect();
    (!told.is_empty()).then_some((other, row, told))
}
