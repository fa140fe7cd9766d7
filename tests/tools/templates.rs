//! The templates in `mappings/` against the systems that they are for.

use std::path::Path;

use serde_json::json;

use super::Bench;

fn template(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings").join(file)).unwrap()
}

#[tokio::test]
async fn every_template_passes_check_against_its_system_as_it_stands() {
    let mut bench = Bench::new().await;
    let text = |code: &str| json!({ "code": code, "label": code, "type": "SINGLE_LINE_TEXT" });
    let fields = ["担当者名", "メールアドレス", "TEL", "部署名", "役職"].map(text);
    let domain = bench.kintone.domain();
    let spec = serde_json::from_value(
        json!({ "name": "担当者管理", "code": "", "language": "ja", "fields": fields, "states": [] }),
    );
    let app = domain.create_app(spec.unwrap());
    let token = domain.add_token(app, simulators::kintone::Rights { view: true, ..Default::default() });
    bench.project.set_var("KT_3", &token);
    let line = format!("  - {{ name: 担当者管理, app: {app}, token: '${{env:KT_3}}' }}\n");
    let source = std::fs::read_to_string(bench.project.path("sources/kintone.yaml")).unwrap();
    bench.project.write("sources/kintone.yaml", source + &line);
    let mut count = 0;
    for connector in ["salesforce", "kintone"] {
        for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings").join(connector)).unwrap() {
            let name = format!("{connector}/{}", file.unwrap().file_name().to_str().unwrap());
            if name.ends_with(".yaml") {
                bench.project.write(&format!("mappings/{name}"), template(&name));
                count += 1;
            }
        }
    }
    assert_eq!(count, 8);
    let ran = bench.project.nenrin(&["check"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.stderr.ends_with("all is well\n"), "{}", ran.all());
}
