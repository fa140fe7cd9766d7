//! What the process was given beside files: environment variables and `--set` flags.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The prefix of the environment variables that are settings.
const PREFIX: &str = "NENRIN_";

/// Variables with the prefix that choose the project rather than set something in it.
const NOT_SETTINGS: &[&str] = &["NENRIN_PROJECT"];

/// Environment variables and flags, as data: a test brings its own.
#[derive(Clone, Default)]
pub struct Environment {
    vars: BTreeMap<String, String>,
    flags: Vec<(String, String)>,
}

impl std::fmt::Debug for Environment {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.vars.keys()).finish()
    }
}

/// A setting that did not come from the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Override {
    /// The JSON pointer of the setting.
    pub(crate) pointer: String,
    /// How people wrote it: `NENRIN_SYNC__BATCH_SECS`, `--set sync.batch_secs`.
    pub(crate) origin: String,
}

impl Environment {
    /// The variables of this process; those that are not Unicode are left out.
    pub fn from_process() -> Self {
        let vars = std::env::vars_os();
        let vars = vars.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Environment { vars: vars.collect(), flags: Vec::new() }
    }

    /// Exactly these variables.
    pub fn of<K: Into<String>, V: Into<String>>(vars: impl IntoIterator<Item = (K, V)>) -> Self {
        let vars = vars.into_iter().map(|(name, value)| (name.into(), value.into()));
        Environment { vars: vars.collect(), flags: Vec::new() }
    }

    /// Adds settings from the command line, as dotted key and value (`sync.batch_secs`, `10`).
    pub fn with_flags(mut self, flags: impl IntoIterator<Item = (String, String)>) -> Self {
        self.flags.extend(flags);
        self
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<String> {
        self.vars.get(name).cloned()
    }

    /// The settings that environment and flags make, weakest first.
    pub(crate) fn overrides(&self) -> Vec<Override> {
        let env = self.settings().map(|(name, _)| {
            let key = name[PREFIX.len()..].to_lowercase().replace("__", "/");
            Override { pointer: format!("/{key}"), origin: name.clone() }
        });
        let flags = self.flags.iter().map(|(key, _)| Override {
            pointer: format!("/{}", key.replace('.', "/")),
            origin: format!("--set {key}"),
        });
        env.chain(flags).collect()
    }

    /// `file` with the settings of environment and flags laid over it, all of them as text.
    ///
    /// # Errors
    ///
    /// When a key makes no path (`NENRIN___`).
    pub(crate) fn merge_into(&self, file: &Value) -> Result<Value, config::ConfigError> {
        let vars = self.settings().map(|(name, value)| (name.clone(), value.clone())).collect();
        let source =
            config::Environment::default().prefix("NENRIN").prefix_separator("_").separator("__").source(Some(vars));
        let file = file.as_object().filter(|members| !members.is_empty());
        let mut builder = config::Config::builder();
        if let Some(members) = file {
            builder = builder.add_source(config::Config::try_from(members)?);
        }
        builder = builder.add_source(source);
        for (key, value) in &self.flags {
            builder = builder.set_override(key, value.as_str())?;
        }
        let merged: Value = builder.build()?.try_deserialize()?;
        Ok(if merged.is_null() { Value::Object(Map::new()) } else { merged })
    }

    fn settings(&self) -> impl Iterator<Item = (&String, &String)> {
        self.vars.iter().filter(|(name, _)| name.starts_with(PREFIX) && !NOT_SETTINGS.contains(&name.as_str()))
    }
}
