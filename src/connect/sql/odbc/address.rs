//! The connection string: made of the settings, or given whole.

use arrow_odbc::odbc_api::escape_attribute_value;
use secrecy::{ExposeSecret, SecretString};

use crate::connect::sql::config::{SqlConfig, System, TlsMode};
use crate::error::{Error, ErrorKind, Result};

/// Microsoft's driver, under the name that its package registers.
const SQL_SERVER_DRIVER: &str = "ODBC Driver 18 for SQL Server";

/// Where a database is.
#[derive(Debug)]
pub(in crate::connect::sql) struct Address {
    pub(super) connection: SecretString,
    /// The password, which is in no message.
    pub(super) secret: SecretString,
    /// Server and database, for messages.
    pub(in crate::connect::sql) place: String,
    /// Who signs in.
    pub(in crate::connect::sql) user: String,
}

impl Address {
    /// Reads where the database of `config` is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that names what is missing, and shows nothing of the connection string.
    pub(in crate::connect::sql) fn of(config: &SqlConfig, system: System) -> Result<Address> {
        let connection = match &config.connection {
            Some(connection) => connection.expose_secret().trim().to_owned(),
            None => {
                let parts = parts(config, system)?;
                let parts: Vec<String> =
                    parts.iter().map(|(name, value)| format!("{name}={}", escape_attribute_value(value))).collect();
                parts.join(";")
            }
        };
        let known = attributes(&connection);
        let find = |names: &[&str]| {
            let found = names.iter().find_map(|name| known.iter().find(|(known, _)| known == name));
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        if find(&["driver"]).is_empty() && find(&["dsn", "filedsn"]).is_empty() {
            return Err(Error::new(ErrorKind::Config, "the connection string names no ODBC driver")
                .with("setting", "connection")
                .help("begin it with Driver={name or path of the driver}; or DSN=name;"));
        }
        let server = find(&["server", "servername", "host", "hostname", "dbq", "socket", "dsn", "filedsn"]);
        let database = find(&["database", "db"]);
        let place = [server, database].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        Ok(Address {
            secret: SecretString::from(find(&["pwd", "password"])),
            user: find(&["uid", "user", "username"]),
            place: if place.is_empty() { "ODBC".to_owned() } else { place },
            connection: SecretString::from(connection),
        })
    }
}

/// The attributes of the usual drivers.
fn parts(config: &SqlConfig, system: System) -> Result<Vec<(&'static str, String)>> {
    let default = if system == System::Sqlserver { Some(SQL_SERVER_DRIVER.to_owned()) } else { None };
    let Some(driver) = config.driver.clone().or(default) else {
        return Err(Error::new(ErrorKind::Config, "it is not said which ODBC driver reads the database")
            .with("setting", "driver")
            .help("write `driver` with its name in odbcinst.ini (`odbcinst -q -d` lists them) or the path of its library, or `connection` with a connection string"));
    };
    let mut parts = vec![("Driver", driver)];
    let host = config.host.clone().unwrap_or_else(|| "localhost".to_owned());
    let has_tls = config.tls.mode.is_some() || config.tls.ca_file.is_some() || config.tls.certificate_file.is_some();
    match system {
        System::Sqlserver => {
            // A named instance (`host\instance`) is found without a port.
            parts.push(("Server", config.port.map_or(host.clone(), |port| format!("{host},{port}"))));
            parts.extend(config.database.clone().map(|database| ("Database", database)));
            parts.push(("APP", "nenrin".to_owned()));
            parts.push(("ApplicationIntent", "ReadOnly".to_owned()));
            match config.tls.mode {
                None => {}
                Some(TlsMode::Disable | TlsMode::Prefer) => parts.push(("Encrypt", "no".to_owned())),
                Some(TlsMode::Require) => {
                    parts.extend([("Encrypt", "yes".to_owned()), ("TrustServerCertificate", "yes".to_owned())]);
                }
                Some(TlsMode::VerifyCa | TlsMode::VerifyFull) => {
                    parts.extend([("Encrypt", "yes".to_owned()), ("TrustServerCertificate", "no".to_owned())]);
                }
            }
        }
        System::Oracle => {
            let service = config.database.as_ref().ok_or_else(|| {
                Error::new(ErrorKind::Config, "it is not said which service of Oracle is meant")
                    .with("setting", "database")
                    .help("write the service's name under `database`")
            })?;
            parts.push(("DBQ", format!("//{host}:{}/{service}", config.port.unwrap_or(1521))));
        }
        _ => {
            parts.extend(config.host.clone().map(|host| ("Server", host)));
            parts.extend(config.port.map(|port| ("Port", port.to_string())));
            parts.extend(config.socket.clone().map(|socket| ("Socket", socket)));
            parts.extend(config.database.clone().map(|database| ("Database", database)));
        }
    }
    let no_files = config.tls.ca_file.is_none() && config.tls.certificate_file.is_none();
    if has_tls && (system != System::Sqlserver || !no_files) {
        return Err(Error::new(ErrorKind::Config, "the driver does not take its certificates from here")
            .with("setting", "tls")
            .help("write what your driver wants into `connection`; SQL Server's takes authorities from the system"));
    }
    parts.extend(config.user.clone().map(|user| ("UID", user)));
    parts.extend(config.password.as_ref().map(|password| ("PWD", password.expose_secret().to_owned())));
    Ok(parts)
}

/// The attributes of a connection string, names in small letters. A value in braces may hold semicolons, and `}}` for `}`.
fn attributes(connection: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = connection;
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('{') {
            Some(braced) => {
                let (mut value, mut chars) = (String::new(), braced.char_indices().peekable());
                let mut end = braced.len();
                while let Some((at, next)) = chars.next() {
                    if next == '}' && chars.next_if(|(_, next)| *next == '}').is_none() {
                        end = at + 1;
                        break;
                    }
                    value.push(next);
                }
                (value, braced[end..].split_once(';').map_or("", |(_, next)| next))
            }
            None => {
                let (value, next) = after.split_once(';').unwrap_or((after, ""));
                (value.trim().to_owned(), next)
            }
        };
        found.push((name.trim().to_lowercase(), value));
        rest = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(settings: serde_json::Value) -> Result<Address> {
        let mut settings = settings;
        settings["streams"] = serde_json::json!({});
        let config: SqlConfig = serde_json::from_value(settings).unwrap();
        config.validate()?;
        Address::of(&config, config.system.unwrap())
    }

    #[test]
    fn settings_in_parts_become_the_words_of_the_usual_drivers() {
        let sqlserver = address(serde_json::json!({
            "system": "sqlserver", "host": "db.example.jp", "port": 1433, "database": "core", "user": "nenrin",
            "password": "a;b}c", "tls": { "mode": "verify-full" },
        }))
        .unwrap();
        assert_eq!(
            sqlserver.connection.expose_secret(),
            "Driver=ODBC Driver 18 for SQL Server;Server=db.example.jp,1433;Database=core;APP=nenrin;\
             ApplicationIntent=ReadOnly;Encrypt=yes;TrustServerCertificate=no;UID=nenrin;PWD={a;b}}c}"
        );
        assert_eq!((sqlserver.place.as_str(), sqlserver.user.as_str()), ("db.example.jp,1433/core", "nenrin"));
        assert_eq!(sqlserver.secret.expose_secret(), "a;b}c");
        let oracle = address(serde_json::json!({
            "system": "oracle", "driver": "Oracle 21 ODBC driver", "host": "ora", "database": "CORE", "user": "nenrin", "password": "x",
        }))
        .unwrap();
        assert_eq!(
            oracle.connection.expose_secret(),
            "Driver=Oracle 21 ODBC driver;DBQ=//ora:1521/CORE;UID=nenrin;PWD=x"
        );
        assert_eq!(oracle.place, "//ora:1521/CORE");
        let other = address(serde_json::json!({
            "system": "odbc", "driver": "/opt/hana/libodbcHDB.so", "host": "hana", "port": 30015, "user": "u",
        }))
        .unwrap();
        assert_eq!(other.connection.expose_secret(), "Driver=/opt/hana/libodbcHDB.so;Server=hana;Port=30015;UID=u");
    }

    #[test]
    fn a_whole_connection_string_is_taken_as_it_is() {
        let given = "DSN=core; uid = me ;PWD={p;w}}d};Database=基幹";
        let address = address(serde_json::json!({ "system": "odbc", "connection": given })).unwrap();
        assert_eq!(address.connection.expose_secret(), given);
        assert_eq!(
            (address.place.as_str(), address.user.as_str(), address.secret.expose_secret()),
            ("core/基幹", "me", "p;w}d")
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        for (settings, words) in [
            (serde_json::json!({ "system": "oracle" }), "which ODBC driver"),
            (serde_json::json!({ "system": "oracle", "driver": "x" }), "which service"),
            (serde_json::json!({ "system": "odbc", "connection": "Server=x" }), "no ODBC driver"),
            (serde_json::json!({ "system": "odbc", "connection": "DSN=x", "user": "u" }), "together with parts"),
            (serde_json::json!({ "system": "odbc", "driver": "x", "tls": { "mode": "require" } }), "certificates"),
            (serde_json::json!({ "system": "sqlserver", "dialect": "oracle" }), "`system: odbc`"),
        ] {
            let error = address(settings.clone()).unwrap_err();
            assert!(error.render().contains(words), "{settings}: {}", error.render());
        }
    }
}
