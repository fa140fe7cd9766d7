//! From a source that nobody knows to a mapping that passes: discover, guess, preview, check.

use serde_json::Value;

use super::Bench;
use crate::bad_input::{Ran, TestProject};

fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.all()))
}

#[tokio::test]
async fn every_draft_passes_check_and_previews_as_it_is_written() {
    let bench = Bench::new().await;
    let streams = [
        ("salesforce", vec!["Account", "Contact", "Opportunity", "Contract"]),
        ("kintone", vec!["顧客管理", "顧客管理.契約", "案件管理"]),
    ];
    for (source, streams) in &streams {
        for stream in streams {
            let ran = bench.project.nenrin(&["guess", source, stream, "--write"]).await;
            assert_eq!(ran.code, Some(0), "{}", ran.all());
            assert!(ran.stderr.contains(&format!("wrote mappings/{source}/{stream}.yaml")), "{}", ran.all());
        }
    }
    let checked = bench.project.nenrin(&["check"]).await;
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), "all is well\n"), "{}", checked.all());
    for (source, streams) in &streams {
        for stream in streams {
            let ran = bench.project.nenrin(&["preview", source, stream, "-o", "json", "--limit", "20"]).await;
            let preview = json_of(&ran);
            let records = preview["previews"][0]["records"].as_array().unwrap();
            assert!(!records.is_empty(), "{source}/{stream}");
            let held: Vec<String> = records
                .iter()
                .flat_map(|record| record["variables"].as_object().unwrap())
                .filter(|(_, variable)| !variable["held"].is_null())
                .map(|(name, variable)| format!("{name}: {}", variable["held"]["reason"]))
                .collect();
            // Stages 未処理 and 商談中 are open questions of the draft; all else converts.
            assert!(held.iter().all(|held| held.starts_with("stage: ")), "{source}/{stream}: {held:?}");
        }
    }
    // Nothing was read: no run, no log, and the database holds no more than what it is made with.
    assert!(
        !bench.project.path("lake").exists() || bench.project.log("salesforce/Account", &["Name"]).await.is_empty()
    );
    assert_eq!(bench.project.published().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_draft_is_not_written_over_a_mapping() {
    let bench = Bench::new().await;
    bench.project.nenrin(&["guess", "salesforce", "Contact", "--write"]).await;
    bench.project.edit("mappings/salesforce/Contact.yaml", "email: Email", "email: lower(Email)");
    let ran = bench.project.nenrin(&["guess", "salesforce", "Contact", "--write"]).await;
    insta::assert_snapshot!(ran.all(), @r##"
    error[E0002]: there is a mapping already, which is not written over
      file: mappings/salesforce/Contact.yaml
      next: compare it with the draft (leave --write out), or write over it with --force
    exit 2
    "##);
    let kept = std::fs::read_to_string(bench.project.path("mappings/salesforce/Contact.yaml")).unwrap();
    assert!(kept.contains("lower(Email)"));
    let ran = bench.project.nenrin(&["guess", "salesforce", "Contact", "--write", "--force"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let now = std::fs::read_to_string(bench.project.path("mappings/salesforce/Contact.yaml")).unwrap();
    assert!(!now.contains("lower(Email)"));
}

#[tokio::test]
async fn a_preview_lays_what_was_sent_beside_what_became_of_it() {
    let bench = Bench::new().await;
    bench.project.write(
        "mappings/salesforce/Contact.yaml",
        "apiVersion: nenrin/v1\nkind: Mapping\nsource: salesforce\nstream: Contact\nentity: contact\nvariables:\n  \
         name: concat(LastName, ' ', FirstName)\n  email: Phone\n  title: Title\nwhere: LastName <> '森'\n",
    );
    let ran = bench.project.nenrin(&["preview", "salesforce", "Contact"]).await;
    insta::assert_snapshot!(ran.all(), @r##"
    salesforce/Contact → contact by mappings/salesforce/Contact.yaml, asked of the source now; nothing is written

    0035i0000JeAAGfAQO
    VARIABLE  MAPPED     AS SENT       FIELD
    ────────  ─────────  ────────────  ───────────────────
    name      田中 直樹  田中 | 直樹   LastName, FirstName
    email     held       03-1234-5678  Phone
    title     部長       部長          Title
    held email: an e-mail address needs an @; accepted: name@example.co.jp (mappings/salesforce/Contact.yaml:8:10)

    0035i0000JeAAGgAQO  out of scope: `where` does not let it in
    VARIABLE  MAPPED  AS SENT       FIELD
    ────────  ──────  ────────────  ───────────────────
    name      -       森 | 千尋     LastName, FirstName
    email     -       03-1234-5678  Phone
    title     -       部長          Title

    2 records: 2 values, 0 empty (-), 1 held, 1 out of scope
    exit 0
    "##);
    let key = json_of(&bench.project.nenrin(&["preview", "salesforce", "Contact", "-o", "json"]).await)["previews"][0]
        ["records"][1]["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let one = bench.project.nenrin(&["preview", "salesforce", "Contact", "--key", &key, "-o", "jsonl"]).await;
    assert!(one.stdout.lines().count() == 3 && one.stdout.contains(r#""in_scope":false"#), "{}", one.all());
    let none = bench.project.nenrin(&["preview", "salesforce", "Contact", "--key", "nobody"]).await;
    insta::assert_snapshot!(none.all(), @r##"
    error[E0003]: there is no living record with this key in the source
      key: nobody
      next: a key is the text of the key fields as the source has them; `nenrin preview` without --key shows some
    exit 2
    "##);
    // What was synced looks the same as what is there now, and nobody is asked for it.
    bench.project.nenrin(&["sync", "salesforce", "--stream", "Contact"]).await;
    let live = json_of(&bench.project.nenrin(&["preview", "salesforce", "Contact", "-o", "json"]).await);
    let calls = bench.salesforce.org().calls().len();
    let stored = json_of(&bench.project.nenrin(&["preview", "salesforce", "Contact", "--stored", "-o", "json"]).await);
    assert_eq!(bench.salesforce.org().calls().len(), calls);
    let variables = |view: &Value| {
        let records = view["previews"][0]["records"].as_array().unwrap().clone();
        records.iter().map(|record| (record["key"].clone(), record["variables"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(variables(&stored), variables(&live));
}

#[tokio::test]
async fn a_refresh_token_that_is_rotated_while_looking_is_kept() {
    let bench = Bench::new().await;
    let secret = "  client_secret: ${env:SF_SECRET}\n";
    bench.project.edit("sources/salesforce.yaml", secret, &format!("{secret}  refresh_token: ${{env:SF_REFRESH}}\n"));
    bench.salesforce.org().set_rotation(true);
    for args in [&["discover", "salesforce", "Contact"][..], &["guess", "salesforce", "Contact", "--write"]] {
        let ran = bench.project.nenrin(args).await;
        assert_eq!(ran.code, Some(0), "{}", ran.all());
    }
    let ran = bench.project.nenrin(&["preview", "salesforce", "Contact"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
}

#[tokio::test]
async fn discover_lists_streams_and_shows_values_only_when_asked() {
    let bench = Bench::new().await;
    let ran = bench.project.nenrin(&["discover"]).await;
    insta::assert_snapshot!(ran.all(), @r##"
    SOURCE      STREAM         LABEL         FIELDS  KEY            CHANGES BY      MAPPED TO
    ──────────  ─────────────  ────────────  ──────  ─────────────  ──────────────  ─────────
    kintone     顧客管理                         41  $id            更新日時
    kintone     顧客管理.契約  契約明細          11  $parent, $row  read in full
    kintone     案件管理                         26  $id            更新日時
    salesforce  Account        取引先            71  Id             SystemModstamp
    salesforce  Contact        取引先責任者      54  Id             SystemModstamp
    salesforce  Opportunity    商談              35  Id             SystemModstamp
    salesforce  Contract       契約              30  Id             SystemModstamp

    note (kintone): an API token knows its own app only; with `login` or `oauth` in the source's file, the other apps are listed too

    Also in salesforce, not read (list them under `streams` in sources/salesforce.yaml):
    STREAM                  LABEL
    ──────────────────────  ───────────────────────
    User                    ユーザー
    Organization            組織
    Case                    ケース
    Asset                   納入商品
    Task                    ToDo
    Event                   行動
    Product2                商品
    Pricebook2              価格表
    PricebookEntry          価格表エントリ
    OpportunityLineItem     商談商品
    OpportunityContactRole  商談 取引先責任者の役割
    Lead                    リード
    Campaign                キャンペーン
    CampaignMember          キャンペーンメンバー
    … and 9 more: `nenrin discover salesforce --all`

    Fields of a stream: `nenrin discover kintone 顧客管理`
    exit 0
    "##);
    let plain = bench.project.nenrin(&["discover", "salesforce", "Contact", "-o", "json"]).await;
    assert!(!plain.stdout.contains("田中"), "{}", plain.all());
    let calls = bench.salesforce.org().calls();
    assert!(!calls.iter().any(|call| call.path.contains("/query")), "no record was asked for");
    let shown = bench.project.nenrin(&["-vv", "discover", "salesforce", "Contact", "--samples=2", "-o", "json"]).await;
    let fields = json_of(&shown)["sources"][0]["streams"][0]["fields"].clone();
    let name = fields.as_array().unwrap().iter().find(|field| field["field"] == "LastName").unwrap();
    assert_eq!(name["samples"], serde_json::json!(["田中", "森"]));
    assert!(!shown.stderr.contains("田中"), "values are not logged: {}", shown.stderr);
    // An object that is not read can be looked at all the same.
    let user = bench.project.nenrin(&["discover", "salesforce", "User", "-o", "csv"]).await;
    assert!(
        user.code == Some(0) && user.stdout.contains("salesforce,User,IsActive,有効,boolean,business"),
        "{}",
        user.all()
    );
    // A user lists all apps, a token its own.
    let source = "apiVersion: nenrin/v1\nkind: Source\nconnector: kintone\nbase_url: ${env:KT_URL}\n\
                  login: { user: '${env:KT_USER}', password: '${env:KT_PASSWORD}' }\nstreams: [{ name: 顧客管理, app: 1 }]\n";
    bench.project.write("sources/kintone.yaml", source);
    let listed = json_of(&bench.project.nenrin(&["discover", "kintone", "-o", "json"]).await);
    let others = &listed["sources"][0]["not_read"];
    assert_eq!(
        (others[0]["stream"].as_str(), others[1]["stream"].as_str()),
        (Some("顧客管理.契約"), Some("2")),
        "{others}"
    );
    let app = json_of(&bench.project.nenrin(&["discover", "kintone", "2", "--samples", "-o", "json"]).await);
    assert!(app["sources"][0]["streams"][0]["fields"].as_array().unwrap().len() > 20);
}

#[tokio::test]
async fn what_is_not_there_is_told_with_what_was_meant() {
    let bench = Bench::new().await;
    let mut told = String::new();
    for args in [
        &["discover", "salesfroce"][..],
        &["discover", "salesforce", "Acount"],
        &["guess", "salesforce"],
        &["guess", "salesforce", "Contacts"],
        &["guess", "salesforce", "Contact", "--entity", "contcat"],
        &["preview", "kintone", "顧客管理"],
        &["preview", "salesforce", "Contact", "--stored"],
    ] {
        told.push_str(&format!("$ nenrin {}\n{}\n", args.join(" "), bench.project.nenrin(args).await.all()));
    }
    insta::assert_snapshot!(told, @r##"
    $ nenrin discover salesfroce
    error[E0002]: there is no source `salesfroce`
      next: did you mean `salesforce`?
    exit 2
    $ nenrin discover salesforce Acount
    error[E0003]: Salesforce does not offer this object
      status: 404
      code: NOT_FOUND
      answer: The requested resource does not exist
      request: GET [org]/services/data/v66.0/sobjects/Acount/describe
      source: salesforce
      stream: Acount
      next: did you mean `Account`?
    exit 2
    $ nenrin guess salesforce
    error[E0002]: which stream of `salesforce`?
      streams: Account, Contact, Opportunity, Contract
      next: name one: `nenrin guess salesforce Account`
    exit 2
    $ nenrin guess salesforce Contacts
    error[E0002]: source `salesforce` does not read a stream `Contacts`
      next: did you mean `Contact`? To read another, list it under `streams` in sources/salesforce.yaml; `nenrin discover salesforce` shows what there is
    exit 2
    $ nenrin guess salesforce Contact --entity contcat
    error[E0002]: there is no entity `contcat`
      next: did you mean `contact`?
    exit 2
    $ nenrin preview kintone 顧客管理
    error[E0003]: there is no mapping for this stream
      stream: kintone/顧客管理
      next: draft one: `nenrin guess kintone 顧客管理 --write`
    exit 2
    $ nenrin preview salesforce Contact --stored
    error[E0003]: there is no mapping for this stream
      stream: salesforce/Contact
      next: draft one: `nenrin guess salesforce Contact --write`
    exit 2
    "##);
}

#[tokio::test]
async fn a_draft_can_be_redirected_into_the_project() {
    let bench = Bench::new().await;
    // What a shell has made of the file when the command starts.
    bench.project.write("mappings/salesforce/Contact.yaml", "");
    let ran = bench.project.nenrin(&["guess", "salesforce", "Contact"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    bench.project.write("mappings/salesforce/Contact.yaml", &ran.stdout);
    let ran = bench.project.nenrin(&["check"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), "all is well\n"), "{}", ran.all());
}

#[tokio::test]
async fn users_of_the_vendor_are_not_taken_for_contacts() {
    let bench = Bench::new().await;
    bench.project.edit("sources/salesforce.yaml", "Contract]", "Contract, User]");
    let ran = bench.project.nenrin(&["guess", "salesforce", "User"]).await;
    insta::assert_snapshot!(ran.all(), @r##"
    error[E0002]: it is not clear which entity these records are
      stream: salesforce/User
      entities: contact (fields for 4 of 7 variables), customer (fields for 1 of 21 variables), deal (fields for 1 of 7 variables), contract (fields for 0 of 8 variables)
      next: say it with --entity, such as --entity customer
    exit 2
    "##);
    let ran = bench.project.nenrin(&["guess", "salesforce", "User", "--entity", "contact", "-o", "json"]).await;
    assert_eq!(json_of(&ran)["template"], Value::Null, "the template for Contact is for Contact");
}

#[tokio::test]
async fn a_mapping_with_a_mistake_is_told_before_any_record_is_read() {
    let bench = Bench::new().await;
    bench.project.nenrin(&["guess", "salesforce", "Contact", "--write"]).await;
    bench.project.edit("mappings/salesforce/Contact.yaml", "title: Title", "title: Titel");
    let ran = bench.project.nenrin(&["preview", "salesforce", "Contact"]).await;
    insta::assert_snapshot!(ran.all(), @r##"
    mappings/salesforce/Contact.yaml:16:10  M012  unknown field `Titel` in stream `Contact`
      title: Titel                                  # 0.99: as in the template
             ^^^^^  did you mean `Title`?

    error[E0100]: the mapping of salesforce/Contact has 1 problem
      next: mend the file, then run the command again
    exit 78
    "##);
}

/// What a core system writes at a month's end.
const EXPORT: &str = "\
会員番号,お客様名称,フリガナ,法人番号,TEL（代表）,E-MAIL,ホームページ,契約種別,月額料金(税抜),契約期間（開始）,契約期間（終了）,更新日,ﾗｲｾﾝｽ数,NPSｽｺｱ,ステータス,サクセス担当
10001,株式会社アクメ,アクメ,7000012050002,03-1234-5678,info@acme.example.jp,https://www.acme.example.jp/,スタンダード,\"￥120,000\",2024/4/1,令和8年3月31日,2025/10/15,50,▲25,利用中,佐藤
10002,㈱ハヤブサ,ハヤブサ,,06-1234-5678,,www.hayabusa.example.jp,エンタープライズ,未定,R6.10.1,2025/9/30,2025/10/20,120,40,導入,加藤
10003,有限会社やまなみ,ヤマナミ,4000012090001,011-123-4567,yama@example.jp,http://yamanami.example.jp,スターター,\"30,000\",2025/1/1,2025/12/31,2025/09/01,5,,解約予定,佐藤
";

#[tokio::test]
async fn a_month_end_export_with_japanese_headers_is_drafted() {
    let source = "apiVersion: nenrin/v1\nkind: Source\nconnector: file\npath: data\nstreams:\n  \
                  members: { files: 'members_{yyyymm}.csv', key: [会員番号] }\n  deals: { files: deals.csv, key: [案件ID] }\n";
    let (sjis, _, _) = encoding_rs::SHIFT_JIS.encode(EXPORT);
    let project = TestProject::new(&[("sources/legacy.yaml", source)]);
    project.write("data/members_202510.csv", sjis);
    project.write(
        "data/deals.csv",
        "案件ID,会員番号,件名,フェーズ,金額\nD1,10001,追加,提案中,500000\nD2,10002,更新,ヒヤリング,\n",
    );
    let ran = project.nenrin(&["guess", "legacy", "members", "--write"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let draft = std::fs::read_to_string(project.path("mappings/legacy/members.yaml")).unwrap();
    insta::assert_snapshot!(draft, @r##"
    # yaml-language-server: $schema=../../schemas/json/mapping.json
    # Drafted by `nenrin guess` from names, labels, types and 3 records. The number in front of each reason says
    # how sure it is, 1.00 at most. Look every line over, then see what it makes of real records: `nenrin
    # preview`.
    apiVersion: nenrin/v1
    kind: Mapping
    source: legacy
    stream: members
    entity: customer
    variables:
      name: お客様名称                              # 0.92: name お客様名称 means it
      corporate_number: 法人番号                    # 0.91: name 法人番号 means it; 2 of 2 values fit
      customer_code: 会員番号                       # 0.92: name 会員番号 means it
      domain: lower(split_part(regexp_replace(ホームページ, '^https?://', ''), '/', 1))  # 0.93: name ホームページ means it; 3 of 3 values fit
      phone: '"TEL（代表）"'                        # 0.91: name TEL（代表） means it; 3 of 3 values fit
      owner: サクセス担当                           # 0.92: name サクセス担当 means it
      plan: 契約種別                                # 0.92: name 契約種別 means it
      mrr: '"月額料金(税抜)"'                       # 0.76: name 月額料金(税抜) means it; 2 of 3 values fit
      contract_start: '"契約期間（開始）"'          # 0.91: name 契約期間（開始） means it; 3 of 3 values fit
      contract_end: '"契約期間（終了）"'            # 0.91: name 契約期間（終了） means it; 3 of 3 values fit
      contracted_users: ﾗｲｾﾝｽ数                     # 0.91: name ﾗｲｾﾝｽ数 means it; 3 of 3 values fit
      nps: NPSｽｺｱ                                   # 0.91: name NPSｽｺｱ means it; 2 of 2 values fit

      # Not sure enough. Where one is right, take the # away.
      # stage:                                      # 0.48: name ステータス may mean it, or something else; 2 of 3 entries have a counterpart
      #   from: ステータス
      #   values:
      #     利用中: adoption
      #     導入: onboarding
      #     # TODO say under `values` what these mean (one of onboarding, adoption, expansion); until then they
      #     # are held: 解約予定
      # renewal_date: 更新日                        # 0.47: name 更新日 may mean it, or something else; 3 of 3 values fit

    # No field was found for: prefecture, industry, employees, touch_model, active_users, logins, inquiries.

    # Fields that are not used:
    #   フリガナ: (text)
    #   E-MAIL: (text)
    #   更新日: (text)
    #   ステータス: (text)
    "##);
    // The deals refer to the members, which are mapped now.
    let ran = project.nenrin(&["guess", "legacy", "deals", "--write"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let draft = std::fs::read_to_string(project.path("mappings/legacy/deals.yaml")).unwrap();
    insta::assert_snapshot!(draft, @r##"
    # yaml-language-server: $schema=../../schemas/json/mapping.json
    # Drafted by `nenrin guess` from names, labels, types and 2 records. The number in front of each reason says
    # how sure it is, 1.00 at most. Look every line over, then see what it makes of real records: `nenrin
    # preview`.
    apiVersion: nenrin/v1
    kind: Mapping
    source: legacy
    stream: deals
    entity: deal
    variables:
      customer:                                     # 0.92: the key of members
        from: 会員番号
        stream: members
      name: 件名                                    # 0.92: name 件名 means it
      stage:                                        # 0.92: name フェーズ means it; 1 of 2 entries have a counterpart
        from: フェーズ
        values:
          提案中: proposal
          # TODO say under `values` what these mean (one of prospect, proposal, quote, negotiation, lost, won);
          # until then they are held: ヒヤリング
      amount: 金額                                  # 0.91: name 金額 means it; 1 of 1 values fit

    # No field was found for: type, probability, close_date.

    # Fields that are not used:
    #   案件ID: (text)
    "##);
    let checked = project.nenrin(&["check"]).await;
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), "all is well\n"), "{}", checked.all());
    insta::assert_snapshot!(project.nenrin(&["preview", "legacy", "members", "--key", "10002"]).await.all(), @r##"
    legacy/members → customer by mappings/legacy/members.yaml, asked of the source now; nothing is written

    10002  members_202510.csv:3
    VARIABLE          MAPPED                   AS SENT                  FIELD
    ────────────────  ───────────────────────  ───────────────────────  ────────────────
    name              ㈱ハヤブサ               ㈱ハヤブサ               お客様名称
    corporate_number  -                                                 法人番号
    customer_code     10002                    10002                    会員番号
    domain            www.hayabusa.example.jp  www.hayabusa.example.jp  ホームページ
    phone             06-1234-5678             06-1234-5678             TEL（代表）
    owner             加藤                     加藤                     サクセス担当
    plan              エンタープライズ         エンタープライズ         契約種別
    mrr               held                     未定                     月額料金(税抜)
    contract_start    2024-10-01               R6.10.1                  契約期間（開始）
    contract_end      2025-09-30               2025/9/30                契約期間（終了）
    contracted_users  120                      120                      ﾗｲｾﾝｽ数
    nps               40                       40                       NPSｽｺｱ
    held mrr: not a number; accepted: 1200, 1,200, -500, ▲500, (500), 12.5, 1.25E7 (mappings/legacy/members.yaml:18:8)

    1 record: 10 values, 1 empty (-), 1 held
    exit 0
    "##);
}
