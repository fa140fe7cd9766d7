//! Several runs of one thing, told as least, median and greatest.

/// What was measured of several runs.
pub(crate) struct Figures(Vec<f64>);

impl Figures {
    /// Those of `values`, in any order.
    pub(crate) fn of(mut values: Vec<f64>) -> Figures {
        values.sort_by(f64::total_cmp);
        Figures(values)
    }

    /// The one in the middle.
    pub(crate) fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// `least / median / greatest`, without a fraction, in groups of three digits.
    pub(crate) fn shown(&self) -> String {
        let least = self.0.first().copied().unwrap_or(f64::NAN);
        let greatest = self.0.last().copied().unwrap_or(f64::NAN);
        [least, self.median(), greatest].map(grouped).join(" / ")
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
