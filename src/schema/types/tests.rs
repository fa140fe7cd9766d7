use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, LargeStringArray,
    StringArray, StringViewArray, TimestampMicrosecondArray, TimestampNanosecondArray, UInt64Array,
};
use datafusion::arrow::datatypes::DataType;
use proptest::prelude::*;

use super::*;

const KINDS: [VariableType; 12] = [
    VariableType::Text,
    VariableType::Integer,
    VariableType::Decimal,
    VariableType::Money,
    VariableType::Percent,
    VariableType::Boolean,
    VariableType::Date,
    VariableType::Datetime,
    VariableType::Enum,
    VariableType::Email,
    VariableType::CorporateNumber,
    VariableType::Ref,
];

fn outcome(kind: VariableType, options: &TypeOptions, text: &str) -> Result<Option<String>, &'static str> {
    match parse(kind, options, text) {
        Ok(value) => Ok(value.map(|value| format_value(&value, options))),
        Err(reason) => Err(reason.code),
    }
}

#[test]
fn every_example_is_what_it_says() {
    let options = example_options();
    let mut wrong = Vec::new();
    for kind in KINDS {
        assert!(examples(kind).iter().any(|example| example.outcome == Outcome::Empty), "{kind:?} shows no blank");
        for example in examples(kind) {
            let expected = match example.outcome {
                Outcome::Is(value) => Ok(Some(value.to_owned())),
                Outcome::Empty => Ok(None),
                Outcome::Held(code) => Err(code),
            };
            let found = outcome(kind, &options, example.text);
            if found != expected {
                wrong.push(format!("{kind:?} {:?}: expected {expected:?}, found {found:?}", example.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_reason_says_what_is_accepted_and_never_repeats_the_value() {
    let options = example_options();
    for kind in KINDS {
        let mut texts: Vec<String> = examples(kind)
            .iter()
            .filter(|e| matches!(e.outcome, Outcome::Held(_)))
            .map(|e| e.text.to_owned())
            .collect();
        texts.push("秘密の値42 secret@".to_owned());
        for text in texts {
            if let Err(reason) = parse(kind, &options, &text) {
                // What stands behind "accepted:" is the same for every value.
                let wrong = reason.message.split("accepted:").next().unwrap();
                assert!(text.chars().count() < 4 || !wrong.contains(&text), "{kind:?}: {}", reason.message);
                assert!(reason.message.len() > 20, "{kind:?}: {}", reason.message);
                assert!(!reason.message.ends_with('.'), "{kind:?}: {}", reason.message);
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
        Just("時"),
        Just("true"),
        Just("導入"),
        Just("7000012050002"),
    ];
    let near = prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat());
    let from_examples = prop::sample::select(
        KINDS.iter().flat_map(|kind| examples(*kind)).map(|example| example.text.to_owned()).collect::<Vec<_>>(),
    );
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
        "[0-9]{12}"
            .prop_map(|t| (VariableType::CorporateNumber, Value::Text(format!("{}{t}", check_digit(&t).unwrap())))),
    ]
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
        let options = TypeOptions { scale: 2, ..example_options() };
        for kind in KINDS {
            if let Ok(Some(value)) = parse(kind, &options, &text) {
                prop_assert_eq!(parse(kind, &options, &format_value(&value, &options)), Ok(Some(value)));
            }
        }
    }

    #[test]
    fn a_column_converts_as_its_rows_do(texts in prop::collection::vec(prop::option::of(any_text()), 0..12)) {
        let options = TypeOptions { scale: 2, ..example_options() };
        let column = StringArray::from(texts.clone());
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
