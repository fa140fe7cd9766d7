//! Accepted and refused forms of each type: run as tests, printed in the docs.

use super::{TypeOptions, VariableType};

/// One text, and what becomes of it under [`example_options`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// What a source sends.
    pub text: &'static str,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// What becomes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A value, in its canonical text.
    Is(&'static str),
    /// No value.
    Empty,
    /// Held, for the reason with this code.
    Held(&'static str),
}

const fn is(text: &'static str, value: &'static str) -> Example {
    Example { text, outcome: Outcome::Is(value) }
}

const fn empty(text: &'static str) -> Example {
    Example { text, outcome: Outcome::Empty }
}

const fn held(text: &'static str, code: &'static str) -> Example {
    Example { text, outcome: Outcome::Held(code) }
}

/// What the examples are read under: yen, an enum of three phases, Asia/Tokyo.
pub fn example_options() -> TypeOptions {
    TypeOptions {
        currency: Some("JPY".to_owned()),
        values: ["導入", "利用", "拡大"].map(str::to_owned).to_vec(),
        ..TypeOptions::default()
    }
}

/// The examples of a type: accepted forms first.
pub fn examples(kind: VariableType) -> &'static [Example] {
    match kind {
        VariableType::Text => &TEXT,
        VariableType::Integer => &INTEGER,
        VariableType::Decimal => &DECIMAL,
        VariableType::Money => &MONEY,
        VariableType::Percent => &PERCENT,
        VariableType::Boolean => &BOOLEAN,
        VariableType::Date => &DATE,
        VariableType::Datetime => &DATETIME,
        VariableType::Enum => &ENUM,
        VariableType::Email => &EMAIL,
        VariableType::CorporateNumber => &CORPORATE_NUMBER,
        VariableType::Ref => &REF,
    }
}

static TEXT: [Example; 6] = [
    is("株式会社アクメ", "株式会社アクメ"),
    is("  padded\u{3000}", "padded"),
    is("ＡＢＣ　１２３", "ＡＢＣ　１２３"),
    empty(""),
    empty("\u{3000} "),
    held("a\0b", "nul_character"),
];

static INTEGER: [Example; 21] = [
    is("1200", "1200"),
    is("-7", "-7"),
    is("1,200,000", "1200000"),
    is("１，２００", "1200"),
    is("－３", "-3"),
    is("▲500", "-500"),
    is("△ 500", "-500"),
    is("(500)", "-500"),
    is("0012", "12"),
    is("12.0", "12"),
    is("1.0E8", "100000000"),
    is("3円", "3"),
    empty(" "),
    held("12.5", "not_whole"),
    held("9223372036854775808", "out_of_range"),
    held("120万", "magnitude_suffix"),
    held("50%", "percent_sign"),
    held("1,20", "bad_grouping"),
    held("500-", "trailing_minus"),
    held("#N/A", "spreadsheet_error"),
    held("なし", "not_a_number"),
];

static DECIMAL: [Example; 22] = [
    is("12.50", "12.5"),
    is("1,234.5", "1234.5"),
    is(".5", "0.5"),
    is("+3.14", "3.14"),
    is("-0", "0"),
    is("９８．５", "98.5"),
    is("▲1,234.5", "-1234.5"),
    is("（1.5）", "-1.5"),
    is("9.9213206E7", "99213206"),
    is("1.0E8", "100000000"),
    is("2.5e-3", "0.0025"),
    is("0.12345678900000", "0.123456789"),
    is("¥980", "980"),
    empty(""),
    held("0.12345678901", "too_many_decimals"),
    held("1E30", "out_of_range"),
    held("1.2億", "magnitude_suffix"),
    held("1.200.000", "not_a_number"),
    held("1 200", "not_a_number"),
    held("5.", "not_a_number"),
    held("75%", "percent_sign"),
    held("-(5)", "not_a_number"),
];

static MONEY: [Example; 19] = [
    is("1200000", "1200000"),
    is("1,200,000", "1200000"),
    is("¥1,200,000", "1200000"),
    is("￥1,200,000", "1200000"),
    is("\\1,200,000", "1200000"),
    is("１，２３４円", "1234"),
    is("1,234 円", "1234"),
    is("▲¥500", "-500"),
    is("¥-500", "-500"),
    is("(¥500)", "-500"),
    is("JPY 1,200", "1200"),
    is("120000.00", "120000"),
    is("9.9213206E7", "99213206"),
    empty(""),
    held("1200.5", "too_many_decimals"),
    held("120万", "magnitude_suffix"),
    held("$1,200", "other_currency"),
    held("1,200 USD", "other_currency"),
    held("-▲500", "not_a_number"),
];

static PERCENT: [Example; 9] = [
    is("75", "75"),
    is("75%", "75"),
    is("75.5％", "75.5"),
    is("▲3.2 %", "-3.2"),
    is("0.75", "0.75"),
    is("120%", "120"),
    empty(""),
    held("¥75", "not_a_percent"),
    held("七割", "not_a_number"),
];

static BOOLEAN: [Example; 18] = [
    is("true", "true"),
    is("FALSE", "false"),
    is("1", "true"),
    is("０", "false"),
    is("yes", "true"),
    is("N", "false"),
    is("はい", "true"),
    is("いいえ", "false"),
    is("有", "true"),
    is("無", "false"),
    is("あり", "true"),
    is("なし", "false"),
    is("○", "true"),
    is("◯", "true"),
    is("×", "false"),
    empty(""),
    held("2", "not_a_boolean"),
    held("△", "not_a_boolean"),
];

static DATE: [Example; 42] = [
    is("2025-10-01", "2025-10-01"),
    is("2025/10/1", "2025-10-01"),
    is("2025.10.1", "2025-10-01"),
    is("20251001", "2025-10-01"),
    is("2025年10月1日", "2025-10-01"),
    is("２０２５年１０月１日", "2025-10-01"),
    is("2025年 1月 5日", "2025-01-05"),
    is("令和7年10月1日", "2025-10-01"),
    is("令和元年5月1日", "2019-05-01"),
    is("R7.10.1", "2025-10-01"),
    is("R07/10/01", "2025-10-01"),
    is("Ｒ７．１０．１", "2025-10-01"),
    is("令7.10.1", "2025-10-01"),
    is("㋿7年10月1日", "2025-10-01"),
    is("平成31年4月30日", "2019-04-30"),
    is("H1.1.8", "1989-01-08"),
    is("昭和64年1月7日", "1989-01-07"),
    is("s50.4.1", "1975-04-01"),
    is("大正15年12月25日", "1926-12-25"),
    is("昭和元年12月25日", "1926-12-25"),
    is("明治45年7月30日", "1912-07-30"),
    is("M6.1.1", "1873-01-01"),
    is("2025-10-01T00:00:00Z", "2025-10-01"),
    is("2025-10-01T00:00:00.000+0900", "2025-10-01"),
    is("2025/10/01 0:00", "2025-10-01"),
    is("9999-12-31", "9999-12-31"),
    empty("\u{3000}"),
    held("2025-10-01T15:00:00Z", "has_time"),
    held("2025-02-29", "no_such_day"),
    held("0000-00-00", "no_such_day"),
    held("平成31年5月1日", "era_ended"),
    held("昭和64年1月8日", "era_ended"),
    held("令和元年4月30日", "era_not_begun"),
    held("明治5年12月2日", "era_not_begun"),
    held("令和0年1月1日", "no_such_day"),
    held("25/10/1", "ambiguous_date"),
    held("10/1/2025", "ambiguous_date"),
    held("2025年10月", "day_missing"),
    held("2025-10", "day_missing"),
    held("45931", "serial_number"),
    held("2025-10/01", "not_a_date"),
    held("未定", "not_a_date"),
];

static DATETIME: [Example; 26] = [
    is("2025-10-01T09:05:00+09:00", "2025-10-01T00:05:00Z"),
    is("2025-10-01T00:05:00.000+0000", "2025-10-01T00:05:00Z"),
    is("2025-10-01T00:05:00Z", "2025-10-01T00:05:00Z"),
    is("2025-10-01 00:05:00.123456+00", "2025-10-01T00:05:00.123456Z"),
    is("2025-10-01 00:05:00 UTC", "2025-10-01T00:05:00Z"),
    is("2025-10-01 09:05:00 +0900", "2025-10-01T00:05:00Z"),
    is("2025-10-01T00:05:00.1234567Z", "2025-10-01T00:05:00.123456Z"),
    is("2025/10/01 9:05", "2025-10-01T00:05:00Z"),
    is("2025/10/01 9:05:30", "2025-10-01T00:05:30Z"),
    is("２０２５／１０／０１　９：０５", "2025-10-01T00:05:00Z"),
    is("20251001 09:05", "2025-10-01T00:05:00Z"),
    is("2025年10月1日 9時5分", "2025-10-01T00:05:00Z"),
    is("令和7年10月1日9時", "2025-10-01T00:00:00Z"),
    is("1948-05-02 01:00:00", "1948-05-01T15:00:00Z"),
    empty(""),
    held("2025-10-01", "time_missing"),
    held("令和7年10月1日", "time_missing"),
    held("2025-02-29 10:00", "no_such_day"),
    held("平成31年5月1日 10:00", "era_ended"),
    held("2025-10-01 24:00", "no_such_time"),
    held("1948-05-02 00:30", "no_such_local_time"),
    held("1948-09-12 00:30", "ambiguous_local_time"),
    held("2025-10-01T09:05:00 JST", "not_a_datetime"),
    held("1759277100000", "not_a_datetime"),
    held("2025-10-01T", "not_a_datetime"),
    held("9999-12-31T23:59:59-09:00", "out_of_range"),
];

static ENUM: [Example; 6] = [
    is("導入", "導入"),
    is(" 利用\u{3000}", "利用"),
    empty(""),
    held("解約", "not_in_values"),
    held("導入済", "not_in_values"),
    held("onboarding", "not_in_values"),
];

static EMAIL: [Example; 16] = [
    is("taro@example.co.jp", "taro@example.co.jp"),
    is("Taro.Yamada+cs@EXAMPLE.CO.JP", "Taro.Yamada+cs@example.co.jp"),
    is(" a@b.jp ", "a@b.jp"),
    is("foo..bar.@docomo.ne.jp", "foo..bar.@docomo.ne.jp"),
    is("x@xn--wgv71a.jp", "x@xn--wgv71a.jp"),
    empty(""),
    held("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", "full_width"),
    held("taro@example。jp", "not_an_email"),
    held("taro.example.jp", "not_an_email"),
    held("a@b@c.jp", "not_an_email"),
    held("a@b.jp; c@d.jp", "not_an_email"),
    held("Taro <a@b.jp>", "not_an_email"),
    held("taro@localhost", "not_an_email"),
    held("taro@-a.jp", "not_an_email"),
    held("@b.jp", "not_an_email"),
    held("a@192.168.0.1", "not_an_email"),
];

static CORPORATE_NUMBER: [Example; 12] = [
    is("7000012050002", "7000012050002"),
    is("７００００１２０５０００２", "7000012050002"),
    is("7-0000-1205-0002", "7000012050002"),
    is("7 0000 1205 0002", "7000012050002"),
    empty(""),
    held("8000012050002", "wrong_check_digit"),
    held("000012050002", "check_digit_missing"),
    held("70000120500", "not_a_corporate_number"),
    held("T7000012050002", "invoice_number"),
    held("7.00001E+12", "spreadsheet_exponent"),
    held("7000012050002.0", "not_a_corporate_number"),
    held("調査中", "not_a_corporate_number"),
];

static REF: [Example; 4] =
    [is("001Ab000012345AAA", "001Ab000012345AAA"), is("[\"1\",\"2\"]", "[\"1\",\"2\"]"), is(" 12", " 12"), empty(" ")];
