//! What a test does to records.

use serde_json::{Value as Json, json};

use super::{EditError, Edited, Org};
use crate::zoho::edit::{self, Manner};
use crate::zoho::input::{self, Fields};
use crate::zoho::records::{Place, When};

impl Org {
    /// Adds a record and gives its id. `Created_Time` and `Modified_Time` may be back-dated; required fields may be
    /// left out.
    ///
    /// # Errors
    ///
    /// When a field is unknown or takes no such value.
    pub fn insert(&self, module: &str, fields: &Fields) -> Edited<String> {
        self.insert_late(module, fields, 0)
    }

    /// Adds a record that is stamped now but can be seen only `delay_secs` later. Gives its id.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn insert_late(&self, module: &str, fields: &Fields, delay_secs: i64) -> Edited<String> {
        self.edit(module, |state, place| {
            let draft = input::draft(state, place, fields)?;
            let number = edit::insert(state, place, draft, Manner { delay_secs, ..Manner::default() })?;
            Ok(state.id_of(place, number).to_string())
        })
    }

    fn change(&self, module: &str, id: &str, fields: &Fields, manner: Manner) -> Edited<()> {
        self.edit_one(module, id, |state, place, number| {
            let draft = input::draft(state, place, fields)?;
            edit::update(state, place, number, draft, manner)
        })
    }

    /// Changes fields of a record: `Modified_Time` moves, unless only rows of a sub-form are given. Without fields it
    /// moves, too.
    ///
    /// # Errors
    ///
    /// When there is no such record, or a field does not take the value.
    pub fn update(&self, module: &str, id: &str, fields: &Fields) -> Edited<()> {
        self.change(module, id, fields, Manner::default())
    }

    /// The same, stamped now but seen only `delay_secs` later. What is saved in between is lost.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn update_late(&self, module: &str, id: &str, fields: &Fields, delay_secs: i64) -> Edited<()> {
        self.change(module, id, fields, Manner { delay_secs, ..Manner::default() })
    }

    /// Changes what a record holds, but not its time of change; also formulas. No history tells of it.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn change_silently(&self, module: &str, id: &str, fields: &Fields) -> Edited<()> {
        self.change(module, id, fields, Manner { silent: true, ..Manner::default() })
    }

    /// Changes these fields of all records, with one stamp; gives how many.
    ///
    /// # Errors
    ///
    /// When a field is unknown or takes no such value.
    pub fn mass_update(&self, module: &str, fields: &Fields) -> Edited<u64> {
        self.edit(module, |state, place| {
            let numbers: Vec<u64> = state.modules[place].records.numbers(When::Now).collect();
            for &number in &numbers {
                let draft = input::draft(state, place, fields)?;
                edit::update(state, place, number, draft, Manner::default())?;
            }
            Ok(numbers.len() as u64)
        })
    }

    /// Puts a record into the recycle bin.
    ///
    /// # Errors
    ///
    /// When there is no such record.
    pub fn delete(&self, module: &str, id: &str) -> Edited<()> {
        self.edit_one(module, id, edit::delete)
    }

    /// Takes a record out of the recycle bin.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub fn restore(&self, module: &str, id: &str) -> Edited<()> {
        self.edit_one(module, id, edit::restore)
    }

    /// Deletes a record for good, from the module or from the recycle bin.
    ///
    /// # Errors
    ///
    /// When it is gone, or never was.
    pub fn purge(&self, module: &str, id: &str) -> Edited<()> {
        self.edit_one(module, id, edit::purge)
    }

    /// Deletes a record so that no list tells of it.
    ///
    /// # Errors
    ///
    /// When there is no such record.
    pub fn vanish(&self, module: &str, id: &str) -> Edited<()> {
        self.edit_one(module, id, |state, place, number| {
            edit::send(state, place, number, Place::Live, Place::Gone, false)
        })
    }

    /// Merges records: the losers go to the recycle bin, and what looked them up looks up the winner.
    ///
    /// # Errors
    ///
    /// When a record is not there.
    pub fn merge(&self, module: &str, winner: &str, losers: &[&str]) -> Edited<()> {
        self.edit_one(module, winner, |state, place, number| {
            let loser = |id: &&str| state.number_in(place, id).ok_or_else(|| format!("{id} is no id in {module}"));
            let losers = losers.iter().map(loser).collect::<Result<Vec<u64>, String>>()?;
            edit::merge(state, place, number, &losers)
        })
    }

    /// Converts a lead: gives the ids of the account, the contact and the deal that it becomes.
    ///
    /// # Errors
    ///
    /// When there is no such lead.
    pub fn convert_lead(&self, lead: &str) -> Edited<[String; 3]> {
        let record = self.record("Leads", lead)?.ok_or_else(|| EditError { message: format!("no lead {lead}") })?;
        let fields = |value: Json| value.as_object().cloned().unwrap_or_default();
        let account = self.insert("Accounts", &fields(json!({"Account_Name": record["Company"]})))?;
        let contact = json!({"Full_Name": record["Full_Name"], "Last_Name": record["Last_Name"], "First_Name": record["First_Name"], "Email": record["Email"], "Account_Name": account});
        let contact = self.insert("Contacts", &fields(contact))?;
        let deal = json!({"Deal_Name": record["Company"], "Stage": "Qualification", "Type": "新規", "Account_Name": account, "Contact_Name": contact});
        let deal = self.insert("Deals", &fields(deal))?;
        let converted = json!({"Converted__s": true, "Converted_Date_Time": self.now().to_rfc3339(), "Converted_Account": account, "Converted_Contact": contact, "Converted_Deal": deal});
        self.update("Leads", lead, &fields(converted))?;
        Ok([account, contact, deal])
    }

    /// Moves a deal to another stage, which its history tells of.
    ///
    /// # Errors
    ///
    /// When there is no such deal.
    pub fn set_stage(&self, deal: &str, stage: &str) -> Edited<()> {
        self.update("Deals", deal, &Fields::from_iter([("Stage".to_owned(), stage.into())]))
    }

    /// Hides records from everybody but administrators, as a change of sharing does, or shows them again.
    ///
    /// # Errors
    ///
    /// When there is no such module, or an id is none in it.
    pub fn hide_records(&self, module: &str, ids: &[&str], is_hidden: bool) -> Edited<()> {
        self.edit(module, |state, place| {
            for id in ids {
                let number = state.number_in(place, id).ok_or_else(|| format!("{id} is no id in {module}"))?;
                let hidden = &mut state.modules[place].hidden;
                if is_hidden {
                    hidden.insert(number)
                } else {
                    hidden.remove(&number)
                };
            }
            Ok(())
        })
    }
}
