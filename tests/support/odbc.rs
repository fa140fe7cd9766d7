//! ODBC drivers of the distribution, by the path of their libraries: no test touches the machine's `odbcinst.ini`.

use std::path::PathBuf;

/// What a test says when a driver is not there.
const INSTALL: &str = "an ODBC driver was not found below /usr/lib: install them, for example with \
    `apt-get install unixodbc-dev odbc-postgresql odbc-mariadb libsqliteodbc`, or let scripts/test do it";

/// A connection string that begins with the driver whose library is called `library`.
pub(crate) fn connection(library: &str, attributes: &str) -> String {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let below = folders.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    let below: Vec<PathBuf> = below.map(|entry| entry.path().join("odbc")).collect();
    let places = below.into_iter().chain(folders.iter().flat_map(|folder| [folder.join("odbc"), folder.clone()]));
    let driver = places.map(|folder| folder.join(library)).find(|path| path.exists());
    let driver = driver.unwrap_or_else(|| panic!("{library}: {INSTALL}"));
    format!("Driver={};{attributes}", driver.display())
}
