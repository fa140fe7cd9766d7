//! Names of companies and people, all invented, and the many ways to write a company's name.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// First halves of company names with their spelling in domains.
const PREFIXES: [(&str, &str); 44] = [
    ("東都", "touto"),
    ("北星", "hokusei"),
    ("大和田", "owada"),
    ("瑞穂", "mizuho"),
    ("青葉", "aoba"),
    ("白鷺", "shirasagi"),
    ("千歳", "chitose"),
    ("朝日丘", "asahigaoka"),
    ("若宮", "wakamiya"),
    ("八雲", "yakumo"),
    ("富士見", "fujimi"),
    ("桜木", "sakuragi"),
    ("常盤", "tokiwa"),
    ("明和", "meiwa"),
    ("三栄", "sanei"),
    ("日進", "nisshin"),
    ("光陽", "koyo"),
    ("双葉", "futaba"),
    ("松風", "matsukaze"),
    ("鶴見", "tsurumi"),
    ("浜松町", "hamamatsucho"),
    ("西海", "saikai"),
    ("南部", "nambu"),
    ("中央", "chuo"),
    ("髙城", "takagi"),
    ("渡邉", "watanabe"),
    ("サンライズ", "sunrise"),
    ("ミナト", "minato"),
    ("ハヤブサ", "hayabusa"),
    ("コスモ", "cosmo"),
    ("アルプス", "alps"),
    ("ヒカリ", "hikari"),
    ("ツバサ", "tsubasa"),
    ("オリオン", "orion"),
    ("ネクサス", "nexus"),
    ("クレスト", "crest"),
    ("マルニ", "maruni"),
    ("ヤマト", "yamato"),
    ("ACT", "act"),
    ("NEO", "neo"),
    ("K&S", "kands"),
    ("TOKAI", "tokai"),
    ("グリーン", "green"),
    ("ブルー", "blue"),
];

/// Second halves with their spelling in domains and the industry that they tell.
const SUFFIXES: [(&str, &str, &str); 26] = [
    ("システム", "system", "情報通信"),
    ("ソフトウェア", "soft", "情報通信"),
    ("情報サービス", "joho", "情報通信"),
    ("テクノロジーズ", "tech", "情報通信"),
    ("製作所", "seisakusho", "製造"),
    ("工業", "kogyo", "製造"),
    ("精機", "seiki", "製造"),
    ("化学", "kagaku", "製造"),
    ("食品", "shokuhin", "食品"),
    ("電機", "denki", "製造"),
    ("商事", "shoji", "卸売・小売"),
    ("物産", "bussan", "卸売・小売"),
    ("ストアーズ", "stores", "卸売・小売"),
    ("建設", "kensetsu", "建設・不動産"),
    ("工務店", "komuten", "建設・不動産"),
    ("運輸", "unyu", "運輸・物流"),
    ("ロジスティクス", "logi", "運輸・物流"),
    ("不動産", "fudosan", "建設・不動産"),
    ("ホーム", "home", "建設・不動産"),
    ("メディカル", "medical", "医療・福祉"),
    ("ケアサービス", "care", "医療・福祉"),
    ("保険サービス", "hoken", "金融・保険"),
    ("学園", "gakuen", "教育"),
    ("コンサルティング", "consulting", "サービス"),
    ("デザイン", "design", "サービス"),
    ("人材", "jinzai", "サービス"),
];

const FAMILY_NAMES: [(&str, &str); 24] = [
    ("佐藤", "sato"),
    ("鈴木", "suzuki"),
    ("高橋", "takahashi"),
    ("田中", "tanaka"),
    ("伊藤", "ito"),
    ("渡辺", "watanabe"),
    ("山本", "yamamoto"),
    ("中村", "nakamura"),
    ("小林", "kobayashi"),
    ("加藤", "kato"),
    ("吉田", "yoshida"),
    ("山田", "yamada"),
    ("佐々木", "sasaki"),
    ("山口", "yamaguchi"),
    ("松本", "matsumoto"),
    ("井上", "inoue"),
    ("木村", "kimura"),
    ("林", "hayashi"),
    ("斎藤", "saito"),
    ("清水", "shimizu"),
    ("山崎", "yamazaki"),
    ("森", "mori"),
    ("池田", "ikeda"),
    ("橋本", "hashimoto"),
];

const GIVEN_NAMES: [(&str, &str); 20] = [
    ("翔太", "shota"),
    ("健一", "kenichi"),
    ("大輔", "daisuke"),
    ("直樹", "naoki"),
    ("拓也", "takuya"),
    ("和也", "kazuya"),
    ("誠", "makoto"),
    ("浩二", "koji"),
    ("隆", "takashi"),
    ("亮", "ryo"),
    ("美咲", "misaki"),
    ("陽子", "yoko"),
    ("さくら", "sakura"),
    ("恵", "megumi"),
    ("由美子", "yumiko"),
    ("彩", "aya"),
    ("真由", "mayu"),
    ("智子", "tomoko"),
    ("千尋", "chihiro"),
    ("葵", "aoi"),
];

/// The vendor's own customer success managers (担当CSM).
pub(super) const CSMS: [&str; 8] =
    ["佐伯 陽菜", "藤本 拓海", "永井 美穂", "大野 健太", "三浦 さやか", "原田 俊", "白石 奈々", "柴田 亮介"];

/// What a company is by law.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LegalForm {
    /// 株式会社
    Kabushiki,
    /// 有限会社
    Yugen,
    /// 合同会社
    Godo,
}

/// How a legal form is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// 株式会社東都システム
    Full,
    /// 株式会社　東都システム
    Spaced,
    /// (株)東都システム
    Brackets,
    /// ㈱東都システム
    Sign,
}

/// A company's name, apart from how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompanyName {
    /// What makes it unique among all companies of the story.
    pub(super) stem: String,
    /// Its spelling in a domain.
    pub(super) slug: String,
    form: LegalForm,
    /// Whether the legal form stands in front.
    in_front: bool,
}

impl CompanyName {
    /// The name as someone with that habit writes it.
    pub(super) fn write(&self, notation: Notation) -> String {
        let (full, brackets, sign) = match self.form {
            LegalForm::Kabushiki => ("株式会社", "(株)", "㈱"),
            LegalForm::Yugen => ("有限会社", "(有)", "㈲"),
            LegalForm::Godo => ("合同会社", "(同)", "合同会社"),
        };
        let (form, space) = match notation {
            Notation::Full => (full, ""),
            Notation::Spaced => (full, "\u{3000}"),
            Notation::Brackets => (brackets, ""),
            Notation::Sign => (sign, ""),
        };
        match self.in_front {
            true => format!("{form}{space}{}", self.stem),
            false => format!("{}{space}{form}", self.stem),
        }
    }

    /// The same company under a new brand.
    pub(super) fn rebranded(&self) -> CompanyName {
        CompanyName { stem: format!("{}ホールディングス", self.stem), ..self.clone() }
    }
}

/// All names there are, with the industry that each tells, in an order that `pick` shuffles.
pub(super) fn all_companies(dice: &mut ChaCha8Rng) -> Vec<(CompanyName, &'static str)> {
    let mut names = Vec::with_capacity(PREFIXES.len() * SUFFIXES.len());
    for (prefix, prefix_slug) in PREFIXES {
        for (suffix, suffix_slug, industry) in SUFFIXES {
            let form = match dice.random_range(0..100) {
                0..4 => LegalForm::Godo,
                4..9 => LegalForm::Yugen,
                _ => LegalForm::Kabushiki,
            };
            let name = CompanyName {
                stem: format!("{prefix}{suffix}"),
                slug: format!("{prefix_slug}-{suffix_slug}"),
                form,
                in_front: dice.random_bool(0.6),
            };
            names.push((name, industry));
        }
    }
    names
}

/// A person who works for a customer.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// 姓
    pub(super) family: &'static str,
    /// 名
    pub(super) given: &'static str,
    /// The part of the e-mail address before the `@`.
    pub(super) mailbox: String,
}

/// Someone.
pub(super) fn invent_person(dice: &mut ChaCha8Rng) -> Person {
    let (family, family_slug) = FAMILY_NAMES[dice.random_range(0..FAMILY_NAMES.len())];
    let (given, given_slug) = GIVEN_NAMES[dice.random_range(0..GIVEN_NAMES.len())];
    Person { family, given, mailbox: format!("{given_slug}.{family_slug}") }
}

/// Prefectures with their area codes, frequent ones repeated as often as they are frequent.
const PLACES: [(&str, &str, u32); 20] = [
    ("東京都", "03", 38),
    ("大阪府", "06", 12),
    ("愛知県", "052", 9),
    ("神奈川県", "045", 8),
    ("福岡県", "092", 6),
    ("埼玉県", "048", 4),
    ("千葉県", "043", 4),
    ("兵庫県", "078", 4),
    ("北海道", "011", 4),
    ("京都府", "075", 3),
    ("静岡県", "054", 3),
    ("広島県", "082", 3),
    ("宮城県", "022", 3),
    ("長野県", "026", 2),
    ("新潟県", "025", 2),
    ("石川県", "076", 1),
    ("岡山県", "086", 2),
    ("熊本県", "096", 1),
    ("沖縄県", "098", 1),
    ("群馬県", "027", 1),
];

/// Somewhere: a prefecture and a telephone number there.
pub(super) fn invent_place(dice: &mut ChaCha8Rng) -> (&'static str, String) {
    let total: u32 = PLACES.iter().map(|place| place.2).sum();
    let mut rest = dice.random_range(0..total);
    let mut chosen = PLACES[0];
    for place in PLACES {
        chosen = place;
        if rest < place.2 {
            break;
        }
        rest -= place.2;
    }
    let (prefecture, area, _) = chosen;
    let exchange_digits = 6 - area.len() as u32;
    let exchange = dice.random_range(10_u32.pow(exchange_digits - 1)..10_u32.pow(exchange_digits));
    (prefecture, format!("{area}-{exchange}-{:04}", dice.random_range(0..10_000)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use std::collections::HashSet;

    #[test]
    fn no_two_companies_share_a_stem_or_a_domain() {
        let names = all_companies(&mut ChaCha8Rng::seed_from_u64(1));
        let stems: HashSet<_> = names.iter().map(|(name, _)| &name.stem).collect();
        let slugs: HashSet<_> = names.iter().map(|(name, _)| &name.slug).collect();
        assert_eq!((stems.len(), slugs.len()), (names.len(), names.len()));
    }

    #[test]
    fn one_name_is_written_in_many_ways() {
        let name = CompanyName {
            stem: "東都システム".into(),
            slug: "touto-system".into(),
            form: LegalForm::Kabushiki,
            in_front: false,
        };
        let written = [Notation::Full, Notation::Spaced, Notation::Brackets, Notation::Sign].map(|n| name.write(n));
        assert_eq!(written, ["東都システム株式会社", "東都システム　株式会社", "東都システム(株)", "東都システム㈱"]);
    }
}
