//! What a test does to modules, fields and grants.

use super::{EditError, Edited, Org};
use crate::zoho::auth::SCOPES;
use crate::zoho::field::{Choice, FieldSpec, Formula, Source};
use crate::zoho::module::{Access, Module, ModuleSpec};
use crate::zoho::population::Population;

impl Org {
    /// Adds a module, without records.
    ///
    /// # Errors
    ///
    /// When the name is taken.
    pub fn add_module(&self, spec: &ModuleSpec) -> Edited<()> {
        let mut state = self.lock();
        if state.find(&spec.api_name).is_some() {
            return Err(EditError { message: format!("there is a module {}", spec.api_name) });
        }
        let number = state.modules.iter().map(|module| module.number).max().unwrap_or_default() + 1;
        let base = Population::none(state.options.at.timestamp());
        state.modules.push(Module::new(number, spec, base));
        Ok(())
    }

    /// What becomes of calls for the records of a module from now on.
    ///
    /// # Errors
    ///
    /// When there is no such module.
    pub fn set_access(&self, module: &str, access: Access) -> Edited<()> {
        self.edit(module, |state, place| {
            state.modules[place].access = access;
            Ok(())
        })
    }

    /// Adds a field; records keep their stamps.
    ///
    /// # Errors
    ///
    /// When the name is taken.
    pub fn add_field(&self, module: &str, spec: FieldSpec) -> Edited<()> {
        self.edit(module, |state, place| {
            if state.modules[place].column(&spec.api_name).is_some() {
                return Err(format!("{module} has a field {}", spec.api_name));
            }
            state.modules[place].add(spec, Source::Stored, true);
            Ok(())
        })
    }

    /// Takes a field away, with its values; one added under the same name later does not have them.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn remove_field(&self, module: &str, field: &str) -> Edited<()> {
        self.edit(module, |state, place| {
            let columns = &mut state.modules[place].columns;
            let known = columns.iter().position(|column| column.name() == field);
            columns.remove(known.ok_or_else(|| format!("{module} has no field {field}"))?);
            Ok(())
        })
    }

    fn change_field(&self, module: &str, field: &str, change: impl FnOnce(&mut FieldSpec, &mut bool)) -> Edited<()> {
        self.edit(module, |state, place| {
            let column = state.modules[place].columns.iter_mut().find(|column| column.name() == field);
            let column = column.ok_or_else(|| format!("{module} has no field {field}"))?;
            change(&mut column.spec, &mut column.is_hidden);
            Ok(())
        })
    }

    /// Gives a field another API name; its values stay.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn rename_field(&self, module: &str, field: &str, name: &str) -> Edited<()> {
        self.change_field(module, field, |spec, _| name.clone_into(&mut spec.api_name))
    }

    /// Gives a field another label.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn relabel_field(&self, module: &str, field: &str, label: &str) -> Edited<()> {
        self.change_field(module, field, |spec, _| label.clone_into(&mut spec.label))
    }

    /// Gives a picklist other values; records keep what they hold.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn set_choices(&self, module: &str, field: &str, choices: Vec<Choice>) -> Edited<()> {
        self.change_field(module, field, |spec, _| spec.choices = choices)
    }

    /// Computes a field otherwise; no record moves.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn change_formula(&self, module: &str, field: &str, formula: Formula) -> Edited<()> {
        self.change_field(module, field, |spec, _| spec.formula = Some(formula))
    }

    /// Hides a field from everybody but administrators, in the description and in records, or shows it again.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn hide_field(&self, module: &str, field: &str, is_hidden: bool) -> Edited<()> {
        self.change_field(module, field, |_, hidden| *hidden = is_hidden)
    }

    /// A grant code of a Self Client, for these scopes (with commas between them).
    pub fn grant_code(&self, scope: &str, is_admin: bool) -> String {
        let mut state = self.lock();
        let now = state.now;
        state.auth.code(scope, is_admin, None, now)
    }

    /// An access token for these scopes (with commas between them), without asking the token endpoint.
    pub fn access_token(&self, scope: &str, is_admin: bool) -> String {
        let mut state = self.lock();
        let now = state.now;
        state.auth.access_token(scope, is_admin, now)
    }

    /// Ends all access tokens; refresh tokens stay.
    pub fn expire_sessions(&self) {
        self.lock().auth.expire_sessions();
    }

    /// Withdraws the grant of the connector's user, with its access tokens.
    pub fn revoke_grant(&self) {
        self.lock().auth.withdraw();
    }

    /// Consents again: gives the connector's user a new refresh token, which the credentials have from now on.
    pub fn consent(&self, scope: Option<&str>) -> String {
        self.lock().auth.consent(scope.unwrap_or(SCOPES))
    }
}
