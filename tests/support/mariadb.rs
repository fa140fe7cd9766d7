//! A throw-away MariaDB server, started once per test process.
//!
//! It listens on a socket in a folder of its own and is stopped, and the folder removed, when the test process ends in
//! whatever way: a shell waits for the end of a pipe that only the test process holds.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a test says when it cannot start MariaDB.
const INSTALL: &str = "MariaDB's server programs (mariadbd, mariadb-install-db) were not found in /usr/sbin, \
    /usr/local/sbin or on the PATH: install them, for example with `apt-get install mariadb-server`";

/// The running server.
struct Server {
    socket: PathBuf,
    /// Its standard input is the pipe whose end stops the server.
    _shell: Child,
}

/// A new, empty database, and a user `nenrin` with the password `secret` who may read it: the URL of its owner, and the
/// socket.
pub(crate) async fn new_database() -> Database {
    static SERVER: OnceLock<Server> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.get_or_init(start);
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let database = Database { name: name.clone(), socket: server.socket.clone() };
    let root = Database { name: "mysql".to_owned(), socket: server.socket.clone() };
    for statement in [
        format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"),
        "CREATE USER IF NOT EXISTS nenrin@localhost IDENTIFIED BY 'secret'".to_owned(),
        format!("GRANT SELECT ON {name}.* TO nenrin@localhost"),
    ] {
        root.run(&statement).await;
    }
    database
}

/// A database of the server.
pub(crate) struct Database {
    pub(crate) name: String,
    pub(crate) socket: PathBuf,
}

impl Database {
    /// The URL of the user who may only read.
    pub(crate) fn url(&self) -> String {
        format!("mariadb://nenrin:secret@localhost/{}?socket={}", self.name, self.socket.display())
    }

    /// Runs statements as the owner.
    pub(crate) async fn run(&self, statements: &str) {
        use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
        let options =
            sqlx::mysql::MySqlConnectOptions::new().socket(&self.socket).username("root").database(&self.name);
        let mut connection = options.connect().await.unwrap();
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await {
            panic!("{error}: {statements}");
        }
        connection.close().await.unwrap();
    }
}

fn start() -> Server {
    let daemon = find("mariadbd").expect(INSTALL);
    let install = find("mariadb-install-db").expect(INSTALL);
    let folder = tempfile::Builder::new().prefix("nenrin-maria-").tempdir_in("/tmp").unwrap().keep();
    let data = folder.join("data");
    let socket = folder.join("socket");
    // As root the server insists on being told who runs it.
    let user = if is_root() { "root".to_owned() } else { String::new() };
    let as_user = |command: &mut Command| {
        if !user.is_empty() {
            command.arg(format!("--user={user}"));
        }
    };
    let mut command = Command::new(install);
    command.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
    command.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
    as_user(&mut command);
    run(&mut command);
    let script = r#"
        "$@" >"$FOLDER/log" 2>&1 &
        server=$!
        tries=0
        until [ -S "$SOCKET" ]; do
            tries=$((tries + 1))
            if [ $tries -gt 600 ] || ! kill -0 $server; then cat "$FOLDER/log" >&2; exit 1; fi
            sleep 0.1
        done
        echo ready
        cat >/dev/null
        kill -9 $server
        wait $server 2>/dev/null
        rm -rf "$FOLDER"
    "#;
    let mut daemon = Command::new(daemon);
    daemon
        .arg("--no-defaults")
        .arg(format!("--datadir={}", data.display()))
        .arg(format!("--socket={}", socket.display()))
        .arg(format!("--pid-file={}", folder.join("pid").display()))
        .args(["--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M"])
        .args(["--max-connections=200", "--character-set-server=utf8mb4"]);
    as_user(&mut daemon);
    let mut shell = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(daemon.get_program())
        .args(daemon.get_args())
        .env("SOCKET", &socket)
        .env("FOLDER", &folder)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n", "MariaDB did not start; its log is above");
    Server { socket, _shell: shell }
}

fn find(program: &str) -> Option<PathBuf> {
    let usual = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"].map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    usual.into_iter().chain(std::env::split_paths(&path)).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(Path::new("/proc/self")).unwrap()) == 0
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
}

impl Database {
    /// The statements in the general log that are like `pattern`.
    pub(crate) async fn log_like(&self, pattern: &str) -> Vec<String> {
        use sqlx::{ConnectOptions, Row};
        let options = sqlx::mysql::MySqlConnectOptions::new().socket(&self.socket).username("root").database("mysql");
        let mut connection = options.connect().await.unwrap();
        let rows = sqlx::query("SELECT argument FROM general_log WHERE command_type = 'Query' AND argument LIKE ?");
        let rows = rows.bind(pattern).fetch_all(&mut connection).await.unwrap();
        let text = |row: &sqlx::mysql::MySqlRow| {
            let bytes: Vec<u8> = row.try_get_unchecked(0).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        rows.iter().map(text).collect()
    }
}
