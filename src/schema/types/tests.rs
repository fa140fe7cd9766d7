use std::cmp::Ordering;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, LargeStringArray,
    StringArray, StringViewArray, TimestampMicrosecondArray, TimestampNanosecondArray, UInt64Array,
};
use datafusion::arrow::datatypes::DataType;
use proptest::prelude::*;

use super::*;
use crate::schema::read_as::{FiscalDay, PercentWriting, SerialDays, Units};

const KINDS: [VariableType; 16] = VariableType::ALL;

/// Yen, three phases with labels, the fiscal year from April.
fn example_options() -> TypeOptions {
    let label = |label: &str, value| (label.to_owned(), value);
    TypeOptions {
        currency: Some("JPY".to_owned()),
        values: ["導入", "利用", "拡大"].map(str::to_owned).to_vec(),
        labels: vec![label("Onboarding", 0), label("利用期", 1)],
        ..TypeOptions::default()
    }
}

/// Everything declared that can be.
fn declared(scale: u8) -> TypeOptions {
    TypeOptions {
        scale,
        read_as: ReadAs {
            units: Some(Units::Japanese),
            percent: Some(PercentWriting::Fraction),
            fiscal: Some(FiscalDay::Last),
            serial: Some(SerialDays::Excel1900),
            separators: Some(",/、".to_owned()),
            timezone: Some("America/New_York".to_owned()),
        },
        ..example_options()
    }
}

fn outcome(kind: VariableType, options: &TypeOptions, text: &str) -> Result<Option<String>, &'static str> {
    match parse(kind, options, text) {
        Ok(value) => Ok(value.map(|value| format_value(&value, options))),
        Err(reason) => Err(reason.code),
    }
}

#[test]
fn every_case_of_the_page_is_what_it_says() {
    let mut wrong = Vec::new();
    for doc in documentation() {
        for cases in doc.cases {
            let options = (cases.options)();
            let of = |outcome: fn(&Outcome) -> bool| cases.forms.iter().any(|case| outcome(&case.outcome));
            assert!(of(|outcome| *outcome == Outcome::Empty), "{:?} shows no blank", doc.kind);
            assert!(of(|outcome| matches!(outcome, Outcome::Is(_))), "{:?} shows no value", doc.kind);
            for case in cases.forms {
                let expected = match case.outcome {
                    Outcome::Is(value) => Ok(Some(value.to_owned())),
                    Outcome::Empty => Ok(None),
                    Outcome::Held(code) => Err(code),
                };
                let found = outcome(doc.kind, &options, case.text);
                if found != expected {
                    let kind = doc.kind;
                    wrong.push(format!("{kind:?} {:?}: expected {expected:?}, found {found:?}", case.text));
                }
            }
        }
        let refuses = |case: &Case| matches!(case.outcome, Outcome::Held(_));
        assert!(doc.cases.iter().any(|cases| cases.forms.iter().any(refuses)), "{:?} refuses nothing", doc.kind);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_in_the_repository_is_made_of_the_cases() {
    let stored = include_str!("../../../docs/guides/types.md");
    assert!(
        stored == page(),
        "docs/guides/types.md is not what the types say: run `cargo run -- schema types --dir docs/guides`"
    );
}

#[test]
fn a_reason_says_what_is_accepted_and_never_repeats_the_value() {
    for doc in documentation() {
        let kind = doc.kind;
        for cases in doc.cases {
            let options = (cases.options)();
            let refused = cases.forms.iter().filter(|case| matches!(case.outcome, Outcome::Held(_)));
            let texts: Vec<&str> = refused.map(|case| case.text).chain(["秘密の値42 secret@"]).collect();
            for text in texts {
                if let Err(reason) = parse(kind, &options, text) {
                    // What stands behind "accepted:" is the same for every value, and what stands in backticks is to be written.
                    let wrong = reason.message.split("accepted:").next().unwrap();
                    assert!(text.chars().count() < 4 || !wrong.contains(text), "{kind:?}: {}", reason.message);
                    assert!(reason.message.len() > 20, "{kind:?}: {}", reason.message);
                    assert!(!reason.message.ends_with('.'), "{kind:?}: {}", reason.message);
                }
            }
        }
    }
}

#[test]
fn money_keeps_the_decimals_of_its_currency_and_takes_only_its_own_mark() {
    let dollars = TypeOptions { scale: 2, currency: Some("USD".into()), ..TypeOptions::default() };
    assert_eq!(parse(VariableType::Money, &dollars, "$1,200.50"), Ok(Some(Value::Money(120_050))));
    assert_eq!(parse(VariableType::Money, &dollars, "1200.5 USD"), Ok(Some(Value::Money(120_050))));
    assert_eq!(outcome(VariableType::Money, &dollars, "¥1,200"), Err("other_currency"));
    assert_eq!(outcome(VariableType::Money, &dollars, "1200.505"), Err("too_many_decimals"));
    assert_eq!((currency_scale("JPY"), currency_scale("usd"), currency_scale("KWD")), (0, 2, 3));
}

#[test]
fn an_enum_without_values_holds_everything_and_a_long_one_is_cut() {
    let mut options = TypeOptions::default();
    assert_eq!(outcome(VariableType::Enum, &options, "a"), Err("not_in_values"));
    options.values = (0..30).map(|number| format!("v{number}")).collect();
    let reason = parse(VariableType::Enum, &options, "x").unwrap_err();
    assert!(reason.message.ends_with("v19 and 10 more"), "{}", reason.message);
}

#[test]
fn the_check_digit_is_that_of_the_tax_agency() {
    // Published: National Tax Agency, National Diet Library, Supreme Court.
    for number in ["7000012050002", "2000012010019", "8000012010038"] {
        assert_eq!(corporate_number::check_digit(&number[1..]), Some(number.as_bytes()[0] - b'0'), "{number}");
    }
    assert_eq!(check_digit("12345"), None);
    assert_eq!(check_digit("00001205000x"), None);
}

#[test]
fn typed_columns_have_the_documented_types() {
    let options = TypeOptions { scale: 2, ..TypeOptions::default() };
    assert_eq!(data_type(VariableType::Money, &options), DataType::Decimal128(38, 2));
    assert_eq!(data_type(VariableType::Percent, &options), DataType::Decimal128(38, 10));
    for kind in KINDS {
        let converted = convert_text(kind, &options, &StringArray::from(vec![None, Some("1"), Some("x")]));
        assert_eq!(converted.values.data_type(), &data_type(kind, &options), "{kind:?}");
        assert_eq!(converted.values.len(), 3);
    }
}

fn cells(converted: &Converted) -> Vec<Option<String>> {
    (0..converted.values.len()).map(|row| format_cell(converted.values.as_ref(), row)).collect()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn all_kinds_of_text_arrays_convert_alike() {
    let texts = vec![Some("1,200"), None, Some("x"), Some(" ")];
    let options = example_options();
    let arrays: [ArrayRef; 3] = [
        Arc::new(StringArray::from(texts.clone())),
        Arc::new(LargeStringArray::from(texts.clone())),
        Arc::new(StringViewArray::from(texts)),
    ];
    for array in arrays {
        let converted = convert(VariableType::Money, &options, &array);
        assert_eq!(cells(&converted), [Some("1200".to_owned()), None, None, None]);
        assert_eq!(
            converted.failures.iter().map(|(row, reason)| (*row, reason.code)).collect::<Vec<_>>(),
            [(2, "not_a_number")]
        );
    }
}

fn codes(kind: VariableType, array: ArrayRef) -> Vec<(usize, &'static str)> {
    let converted = convert(kind, &example_options(), &array);
    assert_eq!(converted.values.data_type(), &data_type(kind, &example_options()));
    converted.failures.iter().map(|(row, reason)| (*row, reason.code)).collect()
}

#[test]
fn typed_expressions_convert_exactly_or_say_what_to_write() {
    let options = example_options();
    let converted = |kind, array: ArrayRef| cells(&convert(kind, &options, &array));
    // Numbers.
    let ints = || Arc::new(Int32Array::from(vec![3, -4])) as ArrayRef;
    assert_eq!(converted(VariableType::Integer, ints()), some(&["3", "-4"]));
    assert_eq!(converted(VariableType::Decimal, ints()), some(&["3", "-4"]));
    assert_eq!(converted(VariableType::Text, ints()), some(&["3", "-4"]));
    assert_eq!(codes(VariableType::Date, ints()), [(0, "wrong_type"), (1, "wrong_type")]);
    assert_eq!(codes(VariableType::Integer, Arc::new(UInt64Array::from(vec![u64::MAX]))), [(0, "out_of_range")]);
    let decimals = |values: Vec<i128>, scale| {
        Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap()) as ArrayRef
    };
    assert_eq!(converted(VariableType::Money, decimals(vec![120_000, -50_000], 2)), some(&["1200", "-500"]));
    assert_eq!(codes(VariableType::Money, decimals(vec![120_050], 2)), [(0, "too_many_decimals")]);
    assert_eq!(codes(VariableType::Integer, decimals(vec![15], 1)), [(0, "not_whole")]);
    // A quotient is rounded to the places that are kept, halves away from zero.
    assert_eq!(
        converted(VariableType::Percent, decimals(vec![333_333_333_333_335, -5, 4], 11)),
        some(&["3333.3333333334", "-0.0000000001", "0"])
    );
    assert_eq!(
        converted(VariableType::CorporateNumber, Arc::new(UInt64Array::from(vec![7_000_012_050_002]))),
        some(&["7000012050002"])
    );
    // Floats, for any type; nulls do not fail.
    for kind in KINDS {
        assert_eq!(codes(kind, Arc::new(Float64Array::from(vec![None, Some(1.5)]))), [(1, "float")]);
    }
    // Truth values and days.
    assert_eq!(converted(VariableType::Boolean, Arc::new(BooleanArray::from(vec![true]))), some(&["true"]));
    assert_eq!(codes(VariableType::Integer, Arc::new(BooleanArray::from(vec![true]))), [(0, "wrong_type")]);
    let day = || Arc::new(Date32Array::from(vec![20_362])) as ArrayRef;
    assert_eq!(converted(VariableType::Date, day()), some(&["2025-10-01"]));
    assert_eq!(converted(VariableType::Text, day()), some(&["2025-10-01"]));
    assert_eq!(codes(VariableType::Datetime, day()), [(0, "wrong_type")]);
}

#[test]
fn timestamps_need_a_zone_to_be_instants_and_none_to_be_days() {
    let day = 20_362 * 86_400_000_000_i64;
    let zoned = |value: i64| {
        Arc::new(TimestampNanosecondArray::from(vec![value * 1000 + 999]).with_timezone("+00:00")) as ArrayRef
    };
    let naive = |value: i64| Arc::new(TimestampMicrosecondArray::from(vec![value])) as ArrayRef;
    let instants = convert(VariableType::Datetime, &example_options(), &zoned(day));
    assert_eq!(cells(&instants), some(&["2025-10-01T00:00:00Z"]));
    assert_eq!(codes(VariableType::Date, zoned(day)), [(0, "has_time")]);
    assert_eq!(codes(VariableType::Datetime, naive(day)), [(0, "zone_missing")]);
    assert_eq!(cells(&convert(VariableType::Date, &example_options(), &naive(day))), some(&["2025-10-01"]));
    assert_eq!(codes(VariableType::Date, naive(day + 1)), [(0, "has_time")]);
}

#[test]
fn cells_of_other_arrays_have_a_text_too() {
    let array = Arc::new(Decimal128Array::from(vec![12]).with_precision_and_scale(38, -2).unwrap()) as ArrayRef;
    assert_eq!(format_cell(&array, 0).as_deref(), Some("1200"));
    assert_eq!(format_cell(&Float64Array::from(vec![0.25]), 0).as_deref(), Some("0.25"));
    assert_eq!(
        format_cell(&TimestampMicrosecondArray::from(vec![1]), 0).as_deref(),
        Some("1970-01-01T00:00:00.000001")
    );
    assert_eq!(format_cell(&Int32Array::from(vec![None]), 0), None);
    assert_eq!(format_cell(&Int32Array::from(vec![1]), 5), None);
}

/// Texts near the accepted forms: pieces of them in any order, and arbitrary ones.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("1"),
        Just("0"),
        Just("20"),
        Just("2025"),
        Just("12"),
        Just(","),
        Just("."),
        Just("-"),
        Just("/"),
        Just("▲"),
        Just("¥"),
        Just("円"),
        Just("%"),
        Just("E"),
        Just("("),
        Just(")"),
        Just(" "),
        Just("年"),
        Just("月"),
        Just("日"),
        Just("令和"),
        Just("元"),
        Just("R"),
        Just("T"),
        Just(":"),
        Just("Z"),
        Just("+09:00"),
        Just("@"),
        Just("a"),
        Just("jp"),
        Just("１"),
        Just("，"),
        Just("\u{3000}"),
        Just("万"),
        Just("億"),
        Just("三"),
        Just("年度"),
        Just("FY"),
        Just("上期"),
        Just("+81"),
        Just("090"),
        Just("内線"),
        Just(";"),
        Just("、"),
        Just("["),
        Just("]"),
        Just("\""),
        Just("https://"),
        Just("時"),
        Just("true"),
        Just("導入"),
        Just("7000012050002"),
    ];
    let near = prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat());
    let cases = documentation().into_iter().flat_map(|doc| doc.cases).flat_map(|cases| cases.forms);
    let from_examples = prop::sample::select(cases.map(|case| case.text.to_owned()).collect::<Vec<_>>());
    prop_oneof![near, from_examples, any::<String>()]
}

fn any_value() -> impl Strategy<Value = (VariableType, Value)> {
    let limit = 10i128.pow(38) - 1;
    let days = NaiveDate::from_ymd_opt(1, 1, 1).unwrap()..=NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
    let (first, last) = (-62_135_596_800_000_000i64, 253_402_300_799_999_999i64);
    let days_in_range = (days.end().signed_duration_since(*days.start())).num_days();
    let start = *days.start();
    prop_oneof![
        any::<i64>().prop_map(|n| (VariableType::Integer, Value::Integer(n))),
        (-limit..=limit).prop_map(|n| (VariableType::Decimal, Value::Decimal(n))),
        (-limit..=limit).prop_map(|n| (VariableType::Percent, Value::Percent(n))),
        (-limit..=limit).prop_map(|n| (VariableType::Money, Value::Money(n))),
        any::<bool>().prop_map(|b| (VariableType::Boolean, Value::Boolean(b))),
        (0..=days_in_range).prop_map(move |n| (VariableType::Date, Value::Date(start + chrono::TimeDelta::days(n)))),
        (first..=last).prop_map(|n| (VariableType::Datetime, Value::Datetime(Timestamp::from_micros(n)))),
        "[^\\s\\x00](.*[^\\s\\x00])?"
            .prop_filter("NUL is refused", |t| !t.contains('\0') && t.trim() == t)
            .prop_map(|t| (VariableType::Text, Value::Text(t))),
        prop::sample::select(vec!["導入", "利用", "拡大"])
            .prop_map(|t| (VariableType::Enum, Value::Text(t.to_owned()))),
        prop::sample::subsequence(vec!["導入", "利用", "拡大"], 1..=3)
            .prop_map(|t| (VariableType::Set, Value::Text(serde_json::to_string(&t).unwrap()))),
        "[0-9]{3}-[0-9]{4}".prop_map(|t| (VariableType::PostalCode, Value::Text(t))),
        r"\+81[1-46-9][1-9][0-9]{7}(;ext=[0-9]{1,8})?"
            .prop_filter("mobiles have one more", |t| !["20", "60", "70", "80", "90"].contains(&&t[3..5]))
            .prop_map(|t| (VariableType::Phone, Value::Text(t))),
        r"https://[a-z]{1,8}\.example\.jp/[a-z0-9]{0,8}".prop_map(|t| (VariableType::Url, Value::Text(t))),
        r"[a-z0-9.+]{1,12}@[a-z]{1,8}\.co\.jp".prop_map(|t| (VariableType::Email, Value::Text(t))),
        "[^\\s\\x00]{1,12}".prop_map(|t| (VariableType::Ref, Value::Text(t))),
        "[0-9]{12}"
            .prop_map(|t| (VariableType::CorporateNumber, Value::Text(format!("{}{t}", check_digit(&t).unwrap())))),
    ]
}

/// `digits` with so many of them behind the point.
fn with_point(digits: u32, places: u32) -> String {
    let unit = 10u32.pow(places);
    format!("{}.{:0>width$}", digits / unit, digits % unit, width = places as usize)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_formatted_parses_to_the_same_value((kind, value) in any_value(), scale in 0u8..=10) {
        let options = TypeOptions { scale, ..example_options() };
        prop_assert_eq!(parse(kind, &options, &format_value(&value, &options)), Ok(Some(value)));
    }

    #[test]
    fn whatever_parses_is_read_again_from_its_canonical_text(text in any_text()) {
        for options in [TypeOptions { scale: 2, ..example_options() }, declared(2)] {
            for kind in KINDS {
                if let Ok(Some(value)) = parse(kind, &options, &text) {
                    let canonical = format_value(&value, &options);
                    prop_assert_eq!(parse(kind, &options.clone().canonical(), &canonical), Ok(Some(value)), "{:?}", kind);
                }
            }
        }
    }

    #[test]
    fn a_column_converts_as_its_rows_do(texts in prop::collection::vec(prop::option::of(any_text()), 0..12)) {
        let column = StringArray::from(texts.clone());
        for options in [TypeOptions { scale: 2, ..example_options() }, declared(2)] {
            for kind in KINDS {
                let converted = convert_text(kind, &options, &column);
                let mut failures = Vec::new();
                let mut expected = Vec::new();
                for (row, text) in texts.iter().enumerate() {
                    match text.as_deref().map_or(Ok(None), |text| parse(kind, &options, text)) {
                        Ok(value) => expected.push(value.map(|value| format_value(&value, &options))),
                        Err(reason) => {
                            expected.push(None);
                            failures.push((row, reason));
                        }
                    }
                }
                prop_assert_eq!(cells(&converted), expected);
                prop_assert_eq!(converted.failures, failures);
            }
        }
    }

    #[test]
    fn the_order_is_one_and_equal_is_the_same((kind, a) in any_value(), (other, b) in any_value(), (last, c) in any_value()) {
        let options = example_options();
        let order = |x: &Value, y: &Value| compare(kind, &options, x, y);
        prop_assert_eq!(order(&a, &a), Some(Ordering::Equal));
        if kind == other {
            prop_assert_eq!(order(&a, &b), order(&b, &a).map(Ordering::reverse));
            prop_assert_eq!(order(&a, &b) == Some(Ordering::Equal), a == b);
            prop_assert!(kind == VariableType::Set || order(&a, &b).is_some());
            if kind == last && order(&a, &b) == Some(Ordering::Less) && order(&b, &c) == Some(Ordering::Less) {
                prop_assert_eq!(order(&a, &c), Some(Ordering::Less));
            }
        }
    }

    #[test]
    fn units_mean_what_they_say(whole in 1u64..10_000, unit in 0usize..3) {
        let (name, factor) = [("万", 10_000u64), ("億", 100_000_000), ("千", 1_000)][unit];
        let (text, value) = (format!("{whole}{name}円"), Value::Money(i128::from(whole * factor)));
        prop_assert_eq!(parse(VariableType::Money, &declared(0), &text), Ok(Some(value)));
        prop_assert_eq!(outcome(VariableType::Money, &example_options(), &text), Err("magnitude_suffix"));
    }

    #[test]
    fn both_conventions_of_percent_agree(hundredths in 0u32..100_000) {
        let (percent, fraction) = (with_point(hundredths, 2), with_point(hundredths, 4));
        let as_percent = parse(VariableType::Percent, &example_options(), &percent);
        prop_assert_eq!(&parse(VariableType::Percent, &declared(0), &fraction), &as_percent);
        prop_assert_eq!(parse(VariableType::Percent, &declared(0), &format!("{percent}%")), as_percent);
    }

    #[test]
    fn numbers_agree_with_plain_arithmetic(digits in 0u64..1_000_000_000_000, places in 0u32..6) {
        let (whole, part) = (digits / 10u64.pow(places), digits % 10u64.pow(places));
        let grouped = whole.to_string().as_bytes().rchunks(3).rev()
            .map(|group| std::str::from_utf8(group).unwrap()).collect::<Vec<_>>().join(",");
        let fraction = if places == 0 { String::new() } else { format!(".{part:0>width$}", width = places as usize) };
        let expected = Ok(Some(Value::Decimal(-i128::from(digits) * 10i128.pow(10 - places))));
        for text in [format!("-{whole}{fraction}"), format!("▲{grouped}{fraction}"), format!("({grouped}{fraction})"),
                     format!("-{digits}E-{places}")] {
            prop_assert_eq!(parse(VariableType::Decimal, &TypeOptions::default(), &text), expected.clone(), "{}", text);
        }
    }
}
