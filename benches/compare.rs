//! How long `nenrin compare` takes over two kept snapshots, as a whole process, its start included.
//!
//! `cargo bench --bench compare -- [CUSTOMERS] [RUNS]` (100,000 customers, 9 runs when not told). Builds a project
//! with two month-end exports of 20 columns, syncs them, lets the first comparison keep both snapshots, and times
//! the ones after it.

mod support {
    pub(crate) mod figures;
}

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

use anyhow::{Result, ensure};

use support::figures::Figures;

/// The program, as users run it.
const NENRIN: &str = env!("CARGO_BIN_EXE_nenrin");

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |at: usize, otherwise: u64| args.get(at).map_or(Ok(otherwise), |arg| arg.parse::<u64>());
    let (customers, runs) = (number(0, 100_000)?, number(1, 9)?);
    let folder = tempfile::tempdir()?;
    write_project(folder.path(), customers)?;
    let (synced, secs) = nenrin(folder.path(), &["sync"])?;
    ensure!(synced.status.success(), "sync: {}", String::from_utf8_lossy(&synced.stderr));
    println!(
        "{customers} customers at two month ends, 20 columns; synced, published and kept in {secs:.1} s; {runs} runs"
    );
    let (first, _) = nenrin(folder.path(), &["compare", "2025-10", "2026-10"])?;
    ensure!(first.status.success(), "compare: {}", String::from_utf8_lossy(&first.stderr));
    let page = String::from_utf8_lossy(&first.stdout);
    ensure!(page.matches(": settled").count() == 2, "the snapshots are not settled:\n{page}");
    println!("| command | ms (least / median / greatest) |\n|---|---|");
    for (shown, args) in [
        ("nenrin compare 2025-10 2026-10", &["compare", "2025-10", "2026-10"][..]),
        ("nenrin compare 2025-10 2026-10 --by plan", &["compare", "2025-10", "2026-10", "--by", "plan"]),
        ("nenrin compare 2025-10 2026-10 -o csv", &["compare", "2025-10", "2026-10", "-o", "csv"]),
        ("nenrin --version", &["--version"]),
    ] {
        let mut millis = Vec::new();
        let mut printed = None;
        for _ in 0..runs {
            let (output, secs) = nenrin(folder.path(), args)?;
            ensure!(output.status.success(), "{shown}: {}", String::from_utf8_lossy(&output.stderr));
            ensure!(printed.as_ref().is_none_or(|before| *before == output.stdout), "{shown}: two answers");
            printed = Some(output.stdout);
            millis.push(secs * 1e3);
        }
        println!("| `{shown}` | {} |", Figures::of(millis).shown());
    }
    Ok(())
}

fn nenrin(folder: &Path, args: &[&str]) -> Result<(Output, f64)> {
    let started = Instant::now();
    let output = Command::new(NENRIN).arg("--project").arg(folder).args(args).output()?;
    Ok((output, started.elapsed().as_secs_f64()))
}

const COLUMNS: [&str; 20] = [
    "顧客コード",
    "会社名",
    "ドメイン",
    "電話番号",
    "都道府県",
    "業種",
    "従業員数",
    "担当CSM",
    "フェーズ",
    "タッチモデル",
    "プラン",
    "月額",
    "契約開始日",
    "契約終了日",
    "契約更新日",
    "契約ユーザー数",
    "利用ユーザー数",
    "ログイン数",
    "問い合わせ件数",
    "NPS",
];

const MAPPING: &str = "apiVersion: nenrin/v1
kind: Mapping
source: core
stream: customers
entity: customer
variables:
  customer_code: 顧客コード
  name: 会社名
  domain: ドメイン
  phone: 電話番号
  prefecture: 都道府県
  industry: 業種
  employees: 従業員数
  owner: 担当CSM
  stage: { from: フェーズ, values: { 導入: onboarding, 利用: adoption, 拡大: expansion } }
  touch_model: { from: タッチモデル, values: { ハイ: high_touch, ロー: low_touch, テック: tech_touch } }
  plan: プラン
  mrr: 月額
  contract_start: 契約開始日
  contract_end: 契約終了日
  renewal_date: 契約更新日
  contracted_users: 契約ユーザー数
  active_users: 利用ユーザー数
  logins: ログイン数
  inquiries: 問い合わせ件数
  nps: NPS
";

fn write_project(folder: &Path, customers: u64) -> Result<()> {
    for name in ["sources", "mappings/core", "data"] {
        std::fs::create_dir_all(folder.join(name))?;
    }
    std::fs::write(folder.join("nenrin.yaml"), "apiVersion: nenrin/v1\nkind: Project\n")?;
    let source = "apiVersion: nenrin/v1\nkind: Source\nconnector: file\npath: data\nstreams:\n  customers:\n    \
                  files: customers_{yyyymm}.csv\n    key: [顧客コード]\n";
    std::fs::write(folder.join("sources/core.yaml"), source)?;
    std::fs::write(folder.join("mappings/core/customers.yaml"), MAPPING)?;
    // A year later every tenth customer is lost, as many are won, and of the rest some pay and use more.
    let lost = customers / 10;
    std::fs::write(folder.join("data/customers_202510.csv"), export(0..customers, 0))?;
    std::fs::write(folder.join("data/customers_202610.csv"), export(lost..customers + lost, 1))?;
    Ok(())
}

fn export(numbers: std::ops::Range<u64>, year: u64) -> String {
    let mut csv = COLUMNS.join(",");
    csv.push_str("\r\n");
    for number in numbers {
        let dice = |face: u64| mixed(number.wrapping_mul(32).wrapping_add(face));
        let moved = |face: u64| mixed(number.wrapping_mul(32).wrapping_add(face).wrapping_add(year << 48));
        let one_of = |face: u64, words: &[&'static str]| words[(dice(face) % words.len() as u64) as usize];
        let grown = if dice(0).is_multiple_of(4) { year * (1 + dice(1) % 20) } else { 0 };
        let trade = one_of(2, &["製造", "食品", "物流", "情報", "建設", "商社", "化学", "印刷"]);
        let contracted = 5 + dice(3) % 200 + grown;
        let month = 1 + dice(4) % 12;
        let _ = write!(
            csv,
            "C{number:07},株式会社{}{trade}{number},c{number}.example.co.jp,03-{:04}-{:04},{},{trade},{},{},{},{},{},{},\
             {}-{month:02}-01,{}-{month:02}-28,{}-{month:02}-28,{contracted},{},{},{},{}\r\n",
            one_of(5, &["青葉", "みなと", "中央", "北斗", "若葉", "富士見", "朝日", "東"]),
            dice(6) % 10_000,
            dice(7) % 10_000,
            one_of(8, &["東京都", "大阪府", "愛知県", "福岡県", "北海道", "宮城県"]),
            10 + dice(9) % 5_000,
            one_of(10, &["佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村"]),
            one_of(11, &["導入", "利用", "拡大"]),
            one_of(12, &["ハイ", "ロー", "テック"]),
            one_of(13, &["スターター", "スタンダード", "プレミアム"]),
            (10 + dice(14) % 490 + grown) * 1_000,
            2024 + year,
            2026 + year,
            2026 + year,
            contracted * (40 + moved(15) % 60) / 100,
            moved(16) % 5_000,
            moved(17) % 12,
            (moved(18) % 201) as i64 - 100,
        );
    }
    csv
}

/// Numbers that look random and are always the same.
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
