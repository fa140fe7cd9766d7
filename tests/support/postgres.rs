//! A throw-away PostgreSQL cluster, started once per test process.
//!
//! It listens on a socket in a folder of its own and is stopped, and the folder removed, when the test
//! process ends in whatever way: a shell waits for the end of a pipe that only the test process holds.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a test says when it cannot start PostgreSQL.
const INSTALL: &str = "PostgreSQL's server programs (initdb, postgres, pg_ctl, createdb) were not found in \
    /usr/lib/postgresql/*/bin or on the PATH: install them, for example with `apt-get install postgresql`";

/// The running cluster.
struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    /// Its standard input is the pipe whose end stops the cluster.
    _shell: Child,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

/// The statements that the server ran in the database at `url` since they were last asked for, for sessions begun after
/// `ALTER DATABASE … SET log_statement = 'all'`.
pub(crate) fn statements(url: &str, seen: &mut usize) -> Vec<String> {
    let cluster = CLUSTER.get().expect("the database is there");
    let name = url.split('?').next().unwrap().rsplit('/').next().unwrap();
    let log = String::from_utf8_lossy(&std::fs::read(cluster.folder.join("log")).unwrap()).into_owned();
    let mut statements: Vec<String> = Vec::new();
    let mut is_ours = false;
    for line in log.lines() {
        let told = line.strip_prefix(&format!("{name}@LOG:  "));
        let told = told.and_then(|told| {
            told.split_once(": ").filter(|(what, _)| *what == "statement" || what.starts_with("execute"))
        });
        match told {
            Some((_, statement)) => statements.push(statement.to_owned()),
            None if is_ours && line.starts_with('\t') => {
                let last = statements.last_mut().unwrap();
                last.push('\n');
                last.push_str(&line[1..]);
            }
            None => {}
        }
        is_ours = told.is_some() || (is_ours && line.starts_with('\t'));
    }
    let new = statements.split_off((*seen).min(statements.len()));
    *seen += new.len();
    new
}

/// A new, empty database in the cluster; its URL.
pub(crate) fn new_database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let cluster = CLUSTER.get_or_init(start);
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = cluster.folder.display();
    run(Command::new(cluster.programs.join("createdb"))
        .arg(format!("--host={folder}"))
        .args(["-U", "postgres", &name]));
    format!("postgres://postgres@localhost/{name}?host={folder}")
}

fn start() -> Cluster {
    let programs = find_programs().expect(INSTALL);
    let folder = tempfile::Builder::new().prefix("nenrin-pg-").tempdir_in("/tmp").unwrap().keep();
    let user = give_away(&folder);
    let data = folder.join("data");
    run(as_user(user, &programs.join("initdb")).arg("--pgdata").arg(&data).args([
        "--auth=trust",
        "--username=postgres",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ]));
    let settings = format!(
        "-c listen_addresses= -c unix_socket_directories={} -c fsync=off -c max_connections=300 -c log_line_prefix=%d@",
        folder.display()
    );
    let script = r#"
        "$@" -D "$DATA" -l "$FOLDER/log" -o "$SETTINGS" -w start >/dev/null || { cat "$FOLDER/log" >&2; exit 1; }
        echo ready
        cat >/dev/null
        "$@" -D "$DATA" -m immediate stop >/dev/null
        rm -rf "$FOLDER"
    "#;
    let pg_ctl = as_user(user, &programs.join("pg_ctl"));
    let mut shell = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(pg_ctl.get_program())
        .args(pg_ctl.get_args())
        .env("DATA", &data)
        .env("FOLDER", &folder)
        .env("SETTINGS", settings)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n", "PostgreSQL did not start; its log is above");
    Cluster { programs, folder, _shell: shell }
}

/// The folder with PostgreSQL's programs, the newest version first.
fn find_programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    folders.sort();
    folders.reverse();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().find(|folder| {
        ["initdb", "postgres", "pg_ctl", "createdb"].iter().all(|program| folder.join(program).is_file())
    })
}

/// PostgreSQL refuses to run as root: then the folder is given to another user, whose name is returned.
fn give_away(folder: &Path) -> Option<&'static str> {
    if id("-u", None) != 0 {
        return None;
    }
    let user = ["postgres", "nobody"]
        .into_iter()
        .find(|user| Command::new("id").arg(user).output().is_ok_and(|output| output.status.success()))
        .expect("tests that run as root need a user `postgres` or `nobody` to run PostgreSQL");
    std::os::unix::fs::chown(folder, Some(id("-u", Some(user))), Some(id("-g", Some(user)))).unwrap();
    Some(user)
}

fn id(which: &str, user: Option<&str>) -> u32 {
    let output = Command::new("id").arg(which).args(user).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// `program`, run as `user` where one is given.
fn as_user(user: Option<&str>, program: &Path) -> Command {
    let Some(user) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command
        .arg(format!("--reuid={user}"))
        .arg(format!("--regid={}", id("-g", Some(user))))
        .arg("--clear-groups")
        .arg(program)
        .current_dir("/");
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
}
