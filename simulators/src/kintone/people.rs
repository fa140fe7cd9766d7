//! The people, organizations and groups of a domain.

use std::sync::Arc;

/// Someone who can log in, or a group of them.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) code: Arc<str>,
    pub(crate) name: String,
    pub(crate) name_en: String,
    /// What they log in with; groups cannot.
    pub(crate) password: Option<String>,
    pub(crate) is_admin: bool,
    /// Whether a second factor keeps them from logging in with a password alone.
    pub(crate) two_factor: bool,
}

/// The user that API tokens act as.
pub(crate) const ADMINISTRATOR: &str = "Administrator";
/// The user whose password the connector is given; sees what the access lists let them see.
pub(crate) const READER: &str = "renkei";
/// Those who look after customers.
pub(crate) const STAFF: [(&str, &str, &str); 6] = [
    ("sato", "佐藤 昇", "Noboru Sato"),
    ("kato", "加藤 美咲", "Misaki Kato"),
    ("suzuki", "鈴木 健一", "Kenichi Suzuki"),
    ("takahashi", "髙橋 由美", "Yumi Takahashi"),
    ("watanabe", "渡邉 大輔", "Daisuke Watanabe"),
    ("guest/mori", "森 千尋", "Chihiro Mori"),
];
pub(crate) const ORGANIZATIONS: [(&str, &str, &str); 3] = [
    ("sales", "営業部", "Sales"),
    ("cs", "カスタマーサクセス部", "Customer Success"),
    ("support", "サポート部", "Support"),
];
pub(crate) const GROUPS: [(&str, &str, &str); 2] = [("everyone", "Everyone", "Everyone"), ("cs-all", "CS", "CS")];

/// All of them.
pub(crate) fn everyone(seed: u64) -> Vec<Person> {
    let password = |what: u64| Some(crate::chance::secret(seed, what, 16));
    let person = |&(code, name, name_en): &(&str, &str, &str), password: Option<String>| Person {
        code: Arc::from(code),
        name: name.to_owned(),
        name_en: name_en.to_owned(),
        password,
        is_admin: code == ADMINISTRATOR,
        two_factor: false,
    };
    let mut all = vec![
        person(&(ADMINISTRATOR, ADMINISTRATOR, ADMINISTRATOR), password(11)),
        person(&(READER, "システム連携", "System Link"), password(12)),
    ];
    all.extend(STAFF.iter().zip(13..).map(|(known, what)| person(known, password(what))));
    all.extend(ORGANIZATIONS.iter().chain(&GROUPS).map(|known| person(known, None)));
    all
}
