//! E-mail domains that identify no company.

/// Whether anybody can have an address of that domain, so that sharing it links nobody. The domain of a subscriber
/// (`xyz.ocn.ne.jp`) counts with its provider's.
pub fn is_free_mail(domain: &str) -> bool {
    let domain = domain.trim().trim_end_matches('.').to_ascii_lowercase();
    let is_under =
        |provider: &str| domain.strip_suffix(provider).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    FREE_MAIL.contains(&domain.as_str()) || PROVIDERS.iter().any(|provider| is_under(provider))
}

/// Services that give an address to everybody.
#[rustfmt::skip]
const FREE_MAIL: [&str; 61] = [
    "126.com", "163.com", "aol.com", "aol.jp", "au.com", "docomo.ne.jp", "duck.com", "emobile.ne.jp",
    "excite.co.jp", "ezweb.ne.jp", "fastmail.com", "foxmail.com", "gmail.com", "gmx.com", "gmx.de", "gmx.net",
    "goo.jp", "googlemail.com", "hanmail.net", "hey.com", "hotmail.co.jp", "hotmail.com", "hotmail.fr",
    "i.softbank.jp", "icloud.com", "inbox.com", "infoseek.jp", "kakao.com", "live.com", "live.jp", "mac.com",
    "mail.com", "mail.goo.ne.jp", "mail.ru", "me.com", "mineo.jp", "msn.com", "naver.com", "outlook.com",
    "outlook.jp", "pm.me", "proton.me", "protonmail.com", "qq.com", "rakumail.jp", "rakuten.jp", "rocketmail.com",
    "softbank.jp", "softbank.ne.jp", "tutanota.com", "uqmobile.jp", "willcom.com", "y-mobile.ne.jp", "yahoo.co.jp",
    "yahoo.co.uk", "yahoo.com", "yandex.ru", "ybb.ne.jp", "ymail.com", "ymail.ne.jp", "ymobile.ne.jp",
];

/// Internet providers and mobile carriers that give subscribers addresses, often under a domain of their region.
#[rustfmt::skip]
const PROVIDERS: [&str; 24] = [
    "asahi-net.or.jp", "biglobe.ne.jp", "catv.ne.jp", "commufa.jp", "dion.ne.jp", "disney.ne.jp", "eonet.ne.jp",
    "hi-ho.ne.jp", "iij4u.or.jp", "infoweb.ne.jp", "interlink.or.jp", "jcom.home.ne.jp", "jcom.zaq.ne.jp",
    "nifty.com", "nifty.ne.jp", "ocn.ne.jp", "odn.ne.jp", "pdx.ne.jp", "plala.or.jp", "sannet.ne.jp",
    "so-net.ne.jp", "t-com.ne.jp", "vodafone.ne.jp", "wakwak.com",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_mail_is_known_in_any_case_and_under_providers() {
        for domain in ["gmail.com", "Yahoo.CO.jp", "xyz.ocn.ne.jp", "docomo.ne.jp", "nifty.com.", "t.vodafone.ne.jp"] {
            assert!(is_free_mail(domain), "{domain}");
        }
        for domain in ["acme.co.jp", "mygmail.com", "socn.ne.jp", "google.com", "", "co.jp"] {
            assert!(!is_free_mail(domain), "{domain}");
        }
    }
}
