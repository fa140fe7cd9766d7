//! What the API says when it does not do what it was asked.

use serde_json::{Map, json};

use crate::kintone::options::Language;
use crate::wire::Reply;

/// A message in both languages.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    ja: String,
    en: String,
}

pub(crate) fn message(ja: impl Into<String>, en: impl Into<String>) -> Message {
    Message { ja: ja.into(), en: en.into() }
}

impl Message {
    pub(crate) fn text(&self, language: Language) -> &str {
        match language {
            Language::Ja => &self.ja,
            Language::En => &self.en,
        }
    }
}

/// An error, before it is written in the caller's language.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: Message,
    /// Place and complaint, for validation errors.
    pub(crate) errors: Vec<(String, Message)>,
}

/// What a handler gives.
pub(crate) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Refusal { status, code: code.to_owned(), message: message(ja, en), errors: Vec::new() }
    }

    /// The body as JSON.
    pub(crate) fn value(&self, language: Language, id: &str) -> serde_json::Value {
        let mut body = json!({"code": self.code, "id": id, "message": self.message.text(language)});
        if !self.errors.is_empty() {
            let errors: Map<String, serde_json::Value> = self
                .errors
                .iter()
                .map(|(place, message)| (place.clone(), json!({"messages": [message.text(language)]})))
                .collect();
            body["errors"] = errors.into();
        }
        body
    }

    pub(crate) fn reply(&self, language: Language, id: &str) -> Reply {
        Reply::value(self.status, &self.value(language, id)).with("X-Cybozu-Error", self.code.clone())
    }
}

/// `CB_VA01` with complaints by place.
pub(crate) fn invalid(errors: Vec<(String, Message)>) -> Refusal {
    let message = message("入力内容が正しくありません。", "Missing or invalid input.");
    Refusal { status: 400, code: "CB_VA01".to_owned(), message, errors }
}

/// `CB_VA01` at one place.
pub(crate) fn invalid_at(place: impl Into<String>, complaint: Message) -> Refusal {
    invalid(vec![(place.into(), complaint)])
}

pub(crate) fn required() -> Message {
    message("必須です。", "Required field.")
}

pub(crate) fn at_least_one() -> Message {
    message("最小でも1以上です。", "must be greater than or equal to 1")
}

pub(crate) fn enumeration() -> Message {
    message("Enum値のいずれかでなければなりません。", "must be one of the enum value")
}

pub(crate) fn not_a_number() -> Message {
    message("数字でなければなりません。", "Only numbers are allowed.")
}

pub(crate) fn bad_query() -> Refusal {
    invalid_at("query", message("クエリ記法が間違っています。", "The query syntax is incorrect."))
}

pub(crate) fn illegal_request() -> Refusal {
    Refusal::new(400, "CB_IL02", "不正なリクエストです。", "Illegal request.")
}

pub(crate) fn not_json() -> Refusal {
    Refusal::new(400, "CB_IJ01", "不正なJSON文字列です。", "Invalid JSON string.")
}

pub(crate) fn no_credential() -> Refusal {
    Refusal::new(401, "CB_AU01", "ログインしてください。", "Please login.")
}

pub(crate) fn wrong_password() -> Refusal {
    let ja = "ユーザーのログイン名またはパスワードが正しくありません。";
    Refusal::new(401, "CB_WA01", ja, "The login name or the password is incorrect.")
}

pub(crate) fn two_factor() -> Refusal {
    let ja = "2要素認証を使用しているため、パスワード認証は使用できません。";
    Refusal::new(401, "CB_TW02", ja, "Password authentication is not available with two-factor authentication.")
}

pub(crate) fn oauth(status: u16) -> Refusal {
    let (ja, en) = match status {
        401 => ("アクセストークンが不正です。", "The access token is invalid."),
        _ => ("スコープが不足しています。", "The scope of the access token is not sufficient."),
    };
    Refusal::new(status, "CB_OA01", ja, en)
}

pub(crate) fn no_privilege() -> Refusal {
    Refusal::new(403, "CB_NO02", "権限がありません。", "No privilege to proceed.")
}

pub(crate) fn unknown_token() -> Refusal {
    let ja = "指定したAPIトークンは、アプリで生成したAPIトークンと一致しません。";
    Refusal::new(400, "GAIA_IA02", ja, "The specified API token does not match the API token generated via an app.")
}

pub(crate) fn token_lacks_right() -> Refusal {
    let ja = "このAPIトークンでは、指定したAPIを実行できません。";
    Refusal::new(403, "GAIA_NO01", ja, "Using this API token, you cannot run the specified API.")
}

pub(crate) fn token_of_other_app(status: u16, app: u64) -> Refusal {
    let ja = format!("APIトークンとアプリ(id: {app})の組み合わせが正しくありません。");
    Refusal::new(
        status,
        "GAIA_AP15",
        ja,
        format!("The combination of the API token and the app (ID: {app}) is invalid."),
    )
}

pub(crate) fn doubled_token() -> Refusal {
    let ja = "同じアプリのAPIトークンを重複して指定することはできません。";
    Refusal::new(400, "GAIA_DA03", ja, "You cannot specify a duplicate API token for the same app.")
}

pub(crate) fn guest_app() -> Refusal {
    let ja = "ゲストスペース内のアプリを操作する場合は、リクエストの送信先を「/k/guest/（ゲストスペースのID）/v1/...」にします。";
    Refusal::new(
        400,
        "GAIA_IL23",
        ja,
        "To operate an app in a guest space, send the request to /k/guest/(space ID)/v1/...",
    )
}

pub(crate) fn no_app(app: u64) -> Refusal {
    let ja = format!("指定したアプリ（id: {app}）が見つかりません。削除されている可能性があります。");
    Refusal::new(404, "GAIA_AP01", ja, format!("The app (ID: {app}) not found. The app may have been deleted."))
}

pub(crate) fn no_record(id: u64) -> Refusal {
    let ja = format!("指定したレコード（id: {id}）が見つかりません。");
    Refusal::new(404, "GAIA_RE01", ja, format!("The specified record (ID: {id}) is not found."))
}

pub(crate) fn no_file(key: &str) -> Refusal {
    let ja = format!("指定したファイル（id: {key}）が見つかりません。");
    Refusal::new(404, "GAIA_BL01", ja, format!("The specified file (id: {key}) not found."))
}

pub(crate) fn no_comment(id: u64) -> Refusal {
    let ja = format!("指定したコメント（id: {id}）が見つかりません。");
    Refusal::new(400, "GAIA_RE02", ja, format!("The specified comment (ID: {id}) is not found."))
}

pub(crate) fn no_cursor() -> Refusal {
    let ja = "指定したカーソルは存在しないか、既に有効期限が切れています。";
    Refusal::new(404, "GAIA_CN01", ja, "The specified cursor does not exist or has expired.")
}

pub(crate) fn too_many_cursors() -> Refusal {
    let ja = "作成できるカーソルの上限に達しているため、カーソルを作成できません。不要なカーソルを削除するか、しばらく経ってから再実行してください。";
    Refusal::new(429, "GAIA_TM12", ja, "The limit of cursors is reached. Delete unneeded cursors or try again later.")
}

pub(crate) fn too_many_at_once() -> Refusal {
    let ja = "APIの同時リクエスト数が上限を超えています。";
    Refusal::new(429, "GAIA_TO04", ja, "The number of concurrent API requests exceeds the limit.")
}

pub(crate) fn limit_too_large() -> Refusal {
    Refusal::new(400, "GAIA_QU01", "limit には 500 以下の値を指定してください。", "limit must be 500 or less.")
}

pub(crate) fn offset_too_large() -> Refusal {
    Refusal::new(400, "GAIA_QU02", "offset には 10,000 以下の値を指定してください。", "offset must be 10,000 or less.")
}

pub(crate) fn wrong_operator(label: &str, operator: &str) -> Refusal {
    let ja = format!("{label}フィールドのフィールドタイプには演算子{operator}を使用できません。");
    Refusal::new(400, "GAIA_IQ03", ja, format!("The operator {operator} cannot be used with the field {label}."))
}

pub(crate) fn equals_in_table(label: &str, operator: &str) -> Refusal {
    let ja = format!("テーブル内の{label}フィールドには演算子{operator}を使用できません。");
    Refusal::new(400, "GAIA_IQ07", ja, format!("The operator {operator} cannot be used with {label} in a table."))
}

pub(crate) fn undefined_option(label: &str, option: &str) -> Refusal {
    let ja = format!("{label}フィールドの選択肢に「{option}」はありません。");
    Refusal::new(400, "GAIA_IQ10", ja, format!("The option {option} of the field {label} does not exist."))
}

pub(crate) fn no_field_in_query(code: &str) -> Refusal {
    let ja = format!("指定されたフィールド（{code}）が見つかりません。");
    Refusal::new(400, "GAIA_IQ11", ja, format!("The specified field ({code}) is not found."))
}

pub(crate) fn bad_function(code: &str, name: &str) -> Refusal {
    Refusal::new(
        400,
        code,
        format!("関数{name}の引数が正しくありません。"),
        format!("The argument of {name} is invalid."),
    )
}

pub(crate) fn not_related(code: &str) -> Refusal {
    let ja = format!("「{code}」は関連レコード一覧フィールドではありません。");
    Refusal::new(400, "GAIA_IR02", ja, format!("{code} is not a related records field."))
}

pub(crate) fn revision_moved(id: u64) -> Refusal {
    let ja = format!(
        "指定したリビジョンは最新ではありません。ほかのユーザーがレコード（id: {id}）を更新した可能性があります。"
    );
    Refusal::new(
        409,
        "GAIA_CO02",
        ja,
        format!("The revision is not the latest. Someone may have updated the record (ID: {id})."),
    )
}

pub(crate) fn settings_moved() -> Refusal {
    Refusal::new(
        409,
        "GAIA_CO03",
        "アプリの設定のリビジョンが最新ではありません。",
        "The revision of the settings is not the latest.",
    )
}

pub(crate) fn lookup_missed(label: &str) -> Refusal {
    let ja =
        format!("ルックアップフィールド「{label}」に値がないか、コピー元のアプリのフィールドの閲覧権限がありません。");
    Refusal::new(400, "GAIA_LO04", ja, format!("A value to look up for {label} does not exist, or you cannot view it."))
}

pub(crate) fn key_not_unique(code: &str) -> Refusal {
    let ja = format!("フィールド「{code}」は重複禁止ではありません。");
    Refusal::new(400, "GAIA_IQ27", ja, format!("The field {code} does not prohibit duplicate values."))
}

pub(crate) fn key_missed(code: &str, value: &str) -> Refusal {
    let ja = format!("フィールド「{code}」が「{value}」のレコードが見つかりません。");
    Refusal::new(404, "GAIA_RE20", ja, format!("No record has {value} in {code}."))
}

pub(crate) fn system_field(code: &str) -> Refusal {
    let ja = format!("フィールド「{code}」を指定するには、アプリ管理権限が必要です。");
    Refusal::new(400, "GAIA_BF02", ja, format!("Specifying {code} needs the permission to manage the app."))
}

pub(crate) fn not_writable(code: &str) -> Refusal {
    Refusal::new(
        400,
        "GAIA_UN10",
        format!("フィールド「{code}」は更新できません。"),
        format!("The field {code} cannot be written."),
    )
}

pub(crate) fn no_such_action() -> Refusal {
    let ja = "指定したアクションは実行できません。ほかのユーザーがステータスを変更した可能性があります。";
    Refusal::new(400, "GAIA_IL03", ja, "The action cannot be run. Someone may have changed the status.")
}

pub(crate) fn process_is_off() -> Refusal {
    Refusal::new(400, "GAIA_ST02", "プロセス管理機能が無効化されています。", "Process management is off.")
}

pub(crate) fn no_field_in_settings(code: &str) -> Refusal {
    let ja = format!("フィールドコード「{code}」のフィールドが見つかりません。");
    Refusal::new(400, "GAIA_FC01", ja, format!("The field {code} is not found."))
}

pub(crate) fn bad_formula(code: &str) -> Refusal {
    Refusal::new(
        400,
        "GAIA_IL01",
        format!("フィールド「{code}」の計算式が正しくありません。"),
        format!("The formula of {code} is invalid."),
    )
}

pub(crate) fn locked() -> Refusal {
    Refusal::new(400, "GAIA_DA02", "データベースのロックに失敗しました。", "The database could not be locked.")
}
