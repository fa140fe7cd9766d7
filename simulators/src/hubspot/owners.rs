//! Owners: the people whom records belong to.

use serde_json::{Value as Json, json};

use crate::hubspot::params::Params;
use crate::hubspot::refusal::{Answer, invalid, not_found};
use crate::hubspot::time::iso;
use crate::hubspot::visit::Visit;

/// The id of the first owner; those of the population own records, the last of them has left.
pub(crate) const FIRST: u64 = 41_629_779;
/// An owner's user id lies so far below the owner's id.
const USERS: u64 = 32_043_275;

/// An owner.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) id: u64,
    pub(crate) email: String,
    pub(crate) family_name: String,
    pub(crate) given_name: String,
    pub(crate) is_queue: bool,
    pub(crate) archived: bool,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl Owner {
    fn json(&self) -> Json {
        let user = self.id - USERS;
        json!({
            "id": self.id.to_string(),
            "email": self.email,
            "type": if self.is_queue { "QUEUE" } else { "PERSON" },
            "firstName": self.given_name,
            "lastName": self.family_name,
            "userId": (!self.archived).then_some(user),
            "userIdIncludingInactive": user,
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
            "archived": self.archived,
            "teams": [{"id": "368389", "name": "カスタマーサクセス", "primary": true}],
        })
    }
}

/// The owners that a portal has from the start.
pub(crate) fn all(at: i64) -> Vec<Owner> {
    let names = [
        ("佐藤", "美咲"),
        ("鈴木", "健一"),
        ("髙橋", "葵"),
        ("田中", "翔太"),
        ("カスタマーサクセス", "窓口"),
        ("伊藤", "誠"),
    ];
    let created = at - 1_500 * crate::hubspot::time::DAY;
    let owner = |(nth, (family, given)): (u64, (&str, &str))| Owner {
        id: FIRST + nth,
        email: format!("owner{}@example.jp", nth + 1),
        family_name: family.to_owned(),
        given_name: given.to_owned(),
        is_queue: nth == 4,
        archived: nth == 5,
        created,
        updated: created,
    };
    (0..).zip(names).map(owner).collect()
}

/// `GET /crm/owners/{v}`.
pub(crate) fn list(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    visit.needs("crm.objects.owners.read")?;
    let limit = params.limit(100, 500)?;
    let archived = params.flag("archived");
    let from = match params.one("after") {
        Some(after) => after.parse::<u64>().map_err(|_| invalid("after is not valid"))?,
        None => 0,
    };
    let email = params.one("email");
    let owners = visit.state.owners.iter().filter(|owner| owner.archived == archived && owner.id >= from);
    let mut found: Vec<&Owner> =
        owners.filter(|owner| email.as_ref().is_none_or(|email| owner.email.eq_ignore_ascii_case(email))).collect();
    let next = found.get(limit).map(|owner| owner.id);
    found.truncate(limit);
    let results: Vec<Json> = found.iter().map(|owner| owner.json()).collect();
    visit.rows += results.len() as u64;
    let mut body = json!({ "results": results });
    if let Some(next) = next {
        let link = format!("https://api.hubapi.com/crm/v3/owners?limit={limit}&after={next}");
        body["paging"] = json!({"next": {"after": next.to_string(), "link": link}});
    }
    Ok(body)
}

/// `GET /crm/owners/{v}/{id}`.
pub(crate) fn one(visit: &mut Visit<'_>, id: &str, params: &Params) -> Answer<Json> {
    visit.needs("crm.objects.owners.read")?;
    let archived = params.flag("archived");
    let by_user = params.one("idProperty").as_deref() == Some("userId");
    let is_it = |owner: &&Owner| {
        let known = if by_user { owner.id - USERS } else { owner.id };
        owner.archived == archived && known.to_string() == id
    };
    visit.state.owners.iter().find(is_it).map(Owner::json).ok_or_else(not_found)
}
