//! A core system that exports its customers as CSV in CP932: 30 columns, a header, no quotes but where a cell needs them.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::prepared::mixed;

/// The folder in which the process `pid` leaves its export.
pub(crate) fn folder(pid: u32) -> PathBuf {
    std::env::temp_dir().join(format!("nenrin-bench-exports-{pid}"))
}

/// Writes `records` customers into `folder`; gives the bytes of one.
pub(crate) fn write(folder: &Path, records: usize) -> std::io::Result<usize> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join("customers_202510.csv");
    let mut file = BufWriter::new(File::create(&path)?);
    let mut text = String::from(
        "顧客コード,法人番号,顧客名,顧客名カナ,郵便番号,都道府県,市区町村,住所,電話番号,FAX,業種,従業員数,売上,担当者,担当部署,\
         プラン,フェーズ,契約開始日,契約終了日,MRR,単価,契約ユーザー数,アクティブユーザー数,ログイン数,NPS,問い合わせ件数,支払方法,与信,更新日,備考\r\n",
    );
    for number in 0..records as u64 {
        customer(&mut text, number);
        if text.len() > 1 << 20 {
            file.write_all(&encoding_rs::SHIFT_JIS.encode(&text).0)?;
            text.clear();
        }
    }
    file.write_all(&encoding_rs::SHIFT_JIS.encode(&text).0)?;
    file.flush()?;
    let bytes = std::fs::metadata(&path)?.len();
    Ok(usize::try_from(bytes).unwrap_or(0) / records.max(1))
}

fn customer(out: &mut String, number: u64) {
    let mix = mixed(number);
    let digits = |shift: u32, modulus: u64| mixed(mix.rotate_left(shift)) % modulus;
    let place = ["東京都", "大阪府", "愛知県", "福岡県", "北海道"][(mix % 5) as usize];
    let name = ["青葉商事", "桜製作所", "年輪工業", "白雲運輸", "新星電機"][(mix / 5 % 5) as usize];
    let note = match mix % 20 {
        0 => "\"要望あり、\"\"早めに\"\"\"",
        1 => "\"一行目\r\n二行目\"",
        _ => "定例会は第二火曜",
    };
    let _ = write!(
        out,
        "C{number:09},{:013},{name}{number}株式会社,ｱｵﾊﾞｼｮｳｼﾞ{number},{:03}-{:04},{place},中央区,一丁目{}番地,03-{:04}-{:04},,情報通信業,{},{},\
         山田太郎,営業{}課,スタンダード,利用,2023/04/01,2026/03/31,{},{},{},{},{},{},{},口座振替,A,2025/10/{:02},{note}\r\n",
        digits(1, 10_000_000_000_000),
        digits(2, 1000),
        digits(3, 10_000),
        digits(4, 99),
        digits(5, 10_000),
        digits(6, 10_000),
        digits(7, 3_000),
        digits(8, 100_000) * 1_000,
        digits(9, 9),
        digits(10, 900) * 1_000,
        digits(11, 90) * 100,
        digits(12, 500),
        digits(13, 500),
        digits(14, 5_000),
        digits(15, 11),
        digits(16, 40),
        digits(17, 28) + 1,
    );
}
