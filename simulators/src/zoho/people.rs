//! The people of an org, and the org itself.

use serde_json::{Value as Json, json};

use crate::wire::Reply;
use crate::zoho::id;
use crate::zoho::population::Population;
use crate::zoho::refusal::{Answer, invalid_data, require};
use crate::zoho::state::State;
use crate::zoho::time;
use crate::zoho::value::Value;
use crate::zoho::visit::Visit;

/// Family name, given name, address, role, whether administrator, status.
pub(crate) type Person = (&'static str, &'static str, &'static str, &'static str, bool, &'static str);

/// Those who own records and change them, by their numbers from 1.
pub(crate) const STAFF: [Person; 5] = [
    ("佐藤", "健一", "k.sato@example.jp", "営業部長", false, "active"),
    ("鈴木", "美咲", "m.suzuki@example.jp", "カスタマーサクセス", false, "active"),
    ("高橋", "直樹", "n.takahashi@example.jp", "カスタマーサクセス", false, "active"),
    ("田中", "陽子", "y.tanaka@example.jp", "営業", false, "disabled"),
    ("渡辺", "亮", "r.watanabe@example.jp", "営業", false, "deleted"),
];

/// Those who only read: the user of the connector, and the administrator.
const READERS: [Person; 2] = [
    ("連携", "用", "renkei@example.jp", "連携", false, "active"),
    ("山田", "太郎", "admin@example.jp", "社長", true, "active"),
];

/// The number of the user of the connector.
pub(crate) const INTEGRATION: u64 = 6;
/// The number of the administrator.
pub(crate) const ADMINISTRATOR: u64 = 7;

/// Who owns a record of the population.
pub(crate) fn owner(population: &Population, number: u64) -> Value {
    // The id of the user, once the org is known: see `look`.
    Value::int(1 + population.pick(number, 5, STAFF.len() as u64) as i64)
}

fn everyone() -> impl Iterator<Item = (u64, Person)> {
    (1..).zip(STAFF.into_iter().chain(READERS))
}

/// The user with that number.
pub(crate) fn person(number: u64) -> Option<Person> {
    everyone().find(|(known, _)| *known == number).map(|(_, person)| person)
}

/// Family and given name.
pub(crate) fn full_name(number: u64) -> String {
    person(number).map_or_else(String::new, |person| format!("{} {}", person.0, person.1))
}

/// `{"name", "id"}` of a user.
pub(crate) fn brief(state: &State, number: u64) -> Json {
    json!({"name": full_name(number), "id": id::full(state.prefix, id::USERS, number).to_string()})
}

fn described(state: &State, number: u64, person: Person) -> Json {
    let (family, given, email, role, is_admin, status) = person;
    let profile = if is_admin { ("Administrator", 1) } else { ("Standard", 2) };
    let created = time::stamp(state.options.at.timestamp() - 1_500 * 86_400, state.options.zone_secs);
    json!({
        "id": id::full(state.prefix, id::USERS, number).to_string(), "full_name": format!("{family} {given}"),
        "first_name": given, "last_name": family, "email": email, "status": status, "confirm": status == "active",
        "role": {"name": role, "id": id::full(state.prefix, id::ROLES, number).to_string()},
        "profile": {"name": profile.0, "id": id::full(state.prefix, id::PROFILES, profile.1).to_string()},
        "time_zone": "Asia/Tokyo", "locale": "ja_JP", "language": "ja_JP", "country_locale": "ja_JP",
        "created_time": created, "Modified_Time": created, "$current_shift": null, "Isonline": false,
    })
}

/// Whether a person, by number, is one of those asked for.
type Wanted = Box<dyn Fn(u64, &Person) -> bool>;

/// `GET /users`.
pub(crate) fn users(visit: &mut Visit<'_>) -> Answer<Reply> {
    visit.needs("users")?;
    let state = &*visit.state;
    let wanted = visit.parameter("type").unwrap_or_else(|| "AllUsers".to_owned());
    let caller = visit.caller.user;
    let belongs: Wanted = match wanted.as_str() {
        "AllUsers" => Box::new(|_, _| true),
        "ActiveUsers" | "ConfirmedUsers" | "ActiveConfirmedUsers" => Box::new(|_, person| person.5 == "active"),
        "DeactiveUsers" => Box::new(|_, person| person.5 == "disabled"),
        "NotConfirmedUsers" => Box::new(|_, _| false),
        "DeletedUsers" => Box::new(|_, person| person.5 == "deleted"),
        "AdminUsers" | "ActiveConfirmedAdmins" => Box::new(|_, person| person.4),
        "CurrentUser" => Box::new(move |number, _| number == caller),
        _ => return Err(invalid_data("type")),
    };
    let (page, per_page) = (visit.whole("page", 1, 10_000)?, visit.whole("per_page", 200, 200)?);
    let stamp = state.options.at.timestamp() - 1_500 * 86_400;
    if visit.since()?.is_some_and(|since| since > stamp) {
        return Ok(Reply::empty(304));
    }
    let found: Vec<(u64, Person)> = everyone().filter(|(number, person)| belongs(*number, person)).collect();
    let from = ((page - 1) * per_page) as usize;
    let shown: Vec<Json> = found
        .iter()
        .skip(from)
        .take(per_page as usize)
        .map(|(number, person)| described(state, *number, *person))
        .collect();
    if shown.is_empty() {
        return Ok(Reply::empty(204));
    }
    let more = found.len() > from + shown.len();
    visit.rows = shown.len() as u64;
    let info = json!({"per_page": per_page, "count": shown.len(), "page": page, "more_records": more});
    Ok(Reply::value(200, &json!({"users": shown, "info": info})))
}

/// `GET /org`.
pub(crate) fn org(visit: &mut Visit<'_>) -> Answer<Reply> {
    visit.needs("org")?;
    let state = &*visit.state;
    let edition = format!("{:?}", state.options.edition).to_lowercase();
    let body = json!({"org": [{
        "id": id::full(state.prefix, id::PROFILES, 0).to_string(), "zgid": state.zgid.to_string(),
        "company_name": "年輪デモ株式会社", "alias": null, "country": "日本", "country_code": "JP", "city": "東京都千代田区",
        "time_zone": "Asia/Tokyo", "currency": "日本円 - JPY", "iso_code": "JPY", "currency_symbol": "￥",
        "currency_locale": "ja_JP", "primary_email": "admin@example.jp", "mc_status": false, "gapps_enabled": false,
        "license_details": {"paid": edition != "free", "paid_type": edition, "users_license_purchased": state.options.users, "paid_expiry": null, "trial_type": null, "trial_expiry": null},
    }]});
    Ok(Reply::value(200, &body))
}

/// `GET /org/currencies`: the org has one currency.
pub(crate) fn currencies(visit: &mut Visit<'_>) -> Answer<Reply> {
    visit.needs("settings")?;
    Ok(Reply::empty(204))
}

/// `GET /users/{id}`.
pub(crate) fn user(visit: &mut Visit<'_>, id_text: &str) -> Answer<Reply> {
    visit.needs("users")?;
    let state = &*visit.state;
    let id = require(id_text.parse::<u64>().ok(), || invalid_data("id"))?;
    match id::parts(state.prefix, id)
        .filter(|(module, _)| *module == id::USERS)
        .and_then(|(_, number)| Some((number, person(number)?)))
    {
        Some((number, person)) => Ok(Reply::value(200, &json!({"users": [described(state, number, person)]}))),
        None => Err(invalid_data("id")),
    }
}
