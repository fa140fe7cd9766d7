//! Lines 9 to 14: what an org says about itself.

use serde_json::{Value, json};
use simulators::salesforce::{Features, FieldSpec, FieldType, Options};

use crate::client::{Session, send};

/// The keys of section 2.3.
const OBJECT_KEYS: &str = "activateable associateEntityType associateParentEntity createable custom customSetting \
    deepCloneable deletable deprecatedAndHidden feedEnabled hasSubtypes isInterface isSubtype keyPrefix label labelPlural \
    layoutable mergeable mruEnabled name queryable replicateable retrieveable searchable triggerable undeletable \
    updateable urls";

/// The keys that a whole description adds, section 3.1.
const MORE_KEYS: &str = "fields childRelationships recordTypeInfos namedLayoutInfos supportedScopes actionOverrides \
    searchLayoutable listviewable lookupLayoutable compactLayoutable defaultImplementation implementedBy extendedBy \
    extendsInterfaces implementsInterfaces networkScopeFieldName sobjectDescribeOption urls";

/// The keys of a field, section 3.1.
const FIELD_KEYS: &str = "aggregatable aiPredictionField autoNumber byteLength calculated calculatedFormula cascadeDelete \
    caseSensitive compoundFieldName controllerName createable custom defaultValue defaultValueFormula defaultedOnCreate \
    dependentPicklist deprecatedAndHidden digits displayLocationInDecimal encrypted externalId extraTypeInfo filterable \
    filteredLookupInfo formulaTreatNullNumberAsZero groupable highScaleNumber htmlFormatted idLookup inlineHelpText label \
    length mask maskType name nameField namePointing nillable permissionable picklistValues polymorphicForeignKey precision \
    queryByDistance referenceTargetField referenceTo relationshipName relationshipOrder restrictedDelete \
    restrictedPicklist scale searchPrefilterable soapType sortable type unique updateable writeRequiresMasterRead";

fn assert_keys(value: &Value, keys: &str) {
    for key in keys.split_whitespace() {
        assert!(value.get(key).is_some(), "{key} is missing in {}", value["name"]);
    }
}

fn field<'a>(described: &'a Value, name: &str) -> Option<&'a Value> {
    described["fields"].as_array().unwrap().iter().find(|field| field["name"] == name)
}

fn used(session: &Session) -> u64 {
    let answer = session.data("limits");
    let header = answer.header("sforce-limit-info").unwrap().to_owned();
    header.strip_prefix("api-usage=").unwrap().split('/').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn line_09_versions_are_open_to_all_and_other_answers_count() {
    let session = Session::empty().await;
    let versions = send(&format!("{}/services/data", session.base), "GET", &[], b"");
    assert_eq!(versions.status, 200);
    assert!(versions.header("sforce-limit-info").is_none());
    let list = versions.json();
    let known = json!({"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"});
    assert!(list.as_array().unwrap().contains(&known), "{list}");
    let before = used(&session);
    assert_eq!(session.data("sobjects").status, 200);
    assert_eq!(session.query("nonsense").status, 400);
    assert_eq!(used(&session), before + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_10_retired_versions_are_gone_and_unknown_things_not_found() {
    let session = Session::empty().await;
    assert_eq!(session.get("/services/data/v29.0/limits").status, 410);
    assert!(session.get("/services/data/v35.0/limits").header("warning").is_some());
    assert!(session.get("/services/data/v66.0/limits").header("warning").is_none());
    for path in ["v99.0/limits", "latest/limits", "v66.0/nothing", "v66.0/sobjects/Nothing/describe"] {
        let answer = session.get(&format!("/services/data/{path}"));
        let body = r#"[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]"#;
        assert_eq!((answer.status, answer.text().as_str()), (404, body), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_11_limits_move_with_the_header() {
    let session = Session::empty().await;
    for _ in 0..2 {
        let answer = session.data("limits");
        let limits = answer.json();
        let (max, left) = (
            limits["DailyApiRequests"]["Max"].as_u64().unwrap(),
            limits["DailyApiRequests"]["Remaining"].as_u64().unwrap(),
        );
        assert_eq!(answer.header("sforce-limit-info").unwrap(), format!("api-usage={}/{max}", max - left));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_12_describe_is_complete_and_knows_when_it_changed() {
    let session = Session::empty().await;
    let global = session.data("sobjects").json();
    assert_eq!((&global["encoding"], &global["maxBatchSize"]), (&json!("UTF-8"), &json!(200)));
    for object in global["sobjects"].as_array().unwrap() {
        assert_keys(object, OBJECT_KEYS);
        let answer = session.get(object["urls"]["describe"].as_str().unwrap());
        let described = answer.json();
        assert_keys(&described, OBJECT_KEYS);
        assert_keys(&described, MORE_KEYS);
        for field in described["fields"].as_array().unwrap() {
            assert_keys(field, FIELD_KEYS);
        }
    }
    let answer = session.data("sobjects/Account/describe");
    let account = answer.json();
    assert!(account["fields"].as_array().unwrap().len() > 60);
    let mrr = field(&account, "MRR__c").unwrap();
    assert_eq!(
        (&mrr["type"], &mrr["precision"], &mrr["scale"], &mrr["label"]),
        (&json!("currency"), &json!(18), &json!(2), &json!("月次売上 (MRR)"))
    );
    let annualized = field(&account, "AnnualizedMRR__c").unwrap();
    assert_eq!((&annualized["calculated"], &annualized["calculatedFormula"]), (&json!(true), &json!("MRR__c * 12")));
    assert_eq!(field(&account, "Stage__c").unwrap()["picklistValues"][2]["value"], "拡大");
    assert_eq!(field(&account, "OwnerId").unwrap()["relationshipName"], "Owner");

    let modified = answer.header("last-modified").unwrap().to_owned();
    let path = "/services/data/v66.0/sobjects/Account/describe";
    let again = session.get_with(path, &[("If-Modified-Since", &modified)]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    session.org.advance(60);
    session.org.add_field("Account", FieldSpec::new("Region__c", "地域", FieldType::String)).unwrap();
    let changed = session.get_with(path, &[("If-Modified-Since", &modified)]);
    assert_eq!(changed.status, 200);
    assert!(field(&changed.json(), "Region__c").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_13_a_hidden_field_is_absent_and_naming_it_fails() {
    let session = Session::with_accounts(1).await;
    let describe = || session.data("sobjects/Account/describe").json();
    session.org.hide_field("Account", "MRR__c").unwrap();
    assert!(field(&describe(), "MRR__c").is_none());
    let refused = session.query("SELECT Id, MRR__c FROM Account");
    assert_eq!((refused.status, refused.code().as_str()), (400, "INVALID_FIELD"));
    assert!(refused.message().starts_with(
        "\nSELECT Id, MRR__c FROM Account\n           ^\nERROR at Row:1:Column:12\nNo such column 'MRR__c' on entity 'Account'."
    ));
    assert_eq!(session.query("SELECT Id FROM Account WHERE MRR__c > 1").code(), "INVALID_FIELD");
    session.org.unhide_field("Account", "MRR__c").unwrap();
    assert!(field(&describe(), "MRR__c").is_some());
    assert_eq!(session.query("SELECT Id, MRR__c FROM Account").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_14_features_of_an_org_can_be_switched() {
    let all = Features {
        compounds: true,
        state_and_country_codes: true,
        geolocation: true,
        person_accounts: true,
        multi_currency: true,
    };
    let none = Features { compounds: false, ..Features::default() };
    let only_with = [
        "BillingAddress",
        "BillingCountryCode",
        "Location__c",
        "Location__Latitude__s",
        "IsPersonAccount",
        "CurrencyIsoCode",
    ];
    for (features, expected) in [(all, true), (none, false)] {
        let session = Session::start(Options { features, records: 1, ..Options::default() }).await;
        let account = session.data("sobjects/Account/describe").json();
        for name in only_with {
            assert_eq!(field(&account, name).is_some(), expected, "{name}");
        }
        assert!(field(&account, "BillingCity").is_some());
        let currencies = session.query("SELECT IsoCode, ConversionRate FROM CurrencyType ORDER BY IsoCode");
        assert_eq!(currencies.status == 200, expected);
        if !expected {
            assert_eq!(currencies.code(), "INVALID_TYPE");
        }
    }
}
