//! A PostgreSQL server with one table of 30 columns, for as long as the process that started it lives.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// The server.
pub(crate) struct Cluster {
    pub(crate) port: u16,
    /// What a record takes as text.
    pub(crate) record_bytes: usize,
    /// Its first process.
    pub(crate) pid: u32,
    /// Stops the server when the pipe to it ends.
    _shell: Child,
}

/// What fills the table; every column has another value in nearly every row.
const TABLE: &str = "
CREATE TABLE contracts AS SELECT n::bigint AS id, 'C' || lpad(n::text, 9, '0') AS customer_code,
  '株式会社' || chr(19968 + n % 20000) || '商事 第' || n || '営業部' AS name, 'カブシキガイシャ' || n AS kana,
  (ARRAY['導入', '利用', '拡大', '解約'])[1 + n % 4] AS phase, (n % 977 * 1234.5)::numeric(14, 2) AS mrr,
  (n % 31 * 0.25)::numeric(6, 3) AS rate, n % 500 AS users, n * 7 % 100000 AS logins, n % 3 = 0 AS active,
  date '2020-01-01' + n % 2000 AS started_on, date '2026-01-01' + n % 700 AS ends_on,
  timestamp '2024-01-01' + n % 500000 * interval '1 minute' AS signed_at, '03-' || lpad((n % 10000)::text, 4, '0') || '-5678' AS phone,
  'user' || n || '@example.co.jp' AS email, 'https://example.co.jp/' || n AS website, '東京都千代田区丸の内' || n % 99 || '丁目' AS address,
  lpad((n % 1000)::text, 3, '0') || '-0001' AS postcode, '製造業' AS industry, n % 7 AS region, 'プラン' || n % 12 AS plan,
  '担当' || n % 300 AS owner, '1' || lpad(n::text, 12, '0') AS corporate_number, n * 13 % 1000 AS inquiries, (n % 11)::smallint AS nps,
  NULL::text AS memo, '備考: 更新時に見積もりを再提出すること ' || n AS note, gen_random_uuid() AS token,
  (n % 5 * 10000)::numeric(12, 0) AS unit_price, timestamptz '2026-01-01' - n % 100000 * interval '1 minute' AS updated_at
FROM generate_series(1, $RECORDS) AS n;
ALTER TABLE contracts ADD PRIMARY KEY (id);
ALTER TABLE contracts ALTER COLUMN updated_at SET NOT NULL;
CREATE INDEX ON contracts (updated_at, id);
VACUUM ANALYZE contracts;
";

impl Cluster {
    /// Starts it with `records` rows.
    pub(crate) fn start(records: usize) -> Result<Cluster> {
        let programs = find().context("PostgreSQL's programs were not found: apt-get install postgresql")?;
        let folder = tempfile::Builder::new().prefix("nenrin-bench-pg-").tempdir_in("/tmp")?.keep();
        let user = other_user();
        if let Some(user) = user {
            ensure!(Command::new("chown").arg(user).arg(&folder).status()?.success());
        }
        let data = folder.join("data");
        let quiet = |mut command: Command| -> Result<()> {
            let output = command.output()?;
            ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
            Ok(())
        };
        let mut init = as_user(user, &programs.join("initdb"));
        init.arg("--pgdata").arg(&data).args([
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        quiet(init)?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let settings = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off",
            folder.display()
        );
        let script = r#"
            "$@" -D "$DATA" -l "$FOLDER/log" -o "$SETTINGS" -w start >/dev/null || { cat "$FOLDER/log" >&2; exit 1; }
            echo ready
            cat >/dev/null
            "$@" -D "$DATA" -m immediate stop >/dev/null
            rm -rf "$FOLDER"
        "#;
        let control = as_user(user, &programs.join("pg_ctl"));
        let mut shell = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(control.get_program())
            .args(control.get_args())
            .env("DATA", &data)
            .env("FOLDER", &folder)
            .env("SETTINGS", settings)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(shell.stdout.take().context("no output")?).read_line(&mut line)?;
        ensure!(line == "ready\n", "PostgreSQL did not start; its log is above");
        let psql = |script: &str| -> Result<String> {
            let mut child = Command::new(programs.join("psql"))
                .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "postgres", "-qAt", "-v", "ON_ERROR_STOP=1"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            child.stdin.take().context("no input")?.write_all(script.as_bytes())?;
            let output = child.wait_with_output()?;
            ensure!(output.status.success(), "psql failed");
            Ok(String::from_utf8(output.stdout)?.trim().to_owned())
        };
        psql(&TABLE.replace("$RECORDS", &records.to_string()))?;
        let record_bytes = psql("SELECT avg(octet_length(c::text))::int FROM (SELECT * FROM contracts LIMIT 1000) c")?;
        let pid = std::fs::read_to_string(data.join("postmaster.pid"))?;
        let pid = pid.lines().next().context("no pid")?.parse()?;
        Ok(Cluster { port, record_bytes: record_bytes.parse().unwrap_or_default(), pid, _shell: shell })
    }
}

/// The folder with PostgreSQL's programs, the newest version first.
fn find() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    folders.sort();
    folders.reverse();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().find(|folder| ["initdb", "pg_ctl", "psql"].iter().all(|program| folder.join(program).is_file()))
}

/// PostgreSQL refuses to run as root: then it runs as another user.
fn other_user() -> Option<&'static str> {
    let id = |args: &[&str]| Command::new("id").args(args).output().ok().filter(|output| output.status.success());
    let is_root = id(&["-u"]).is_some_and(|output| output.stdout == b"0\n");
    is_root.then(|| ["postgres", "nobody"].into_iter().find(|user| id(&[user]).is_some())).flatten()
}

fn as_user(user: Option<&str>, program: &Path) -> Command {
    let Some(user) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), "--clear-groups"]).arg(program).current_dir("/");
    command
}
