//! Straight lines through measurements.

/// Something that has a price.
pub struct Item {
    pub name: String,
    /// Path of the price that matters most.
    pub price: String,
    /// That price now.
    pub now: f64,
    /// How often the price is part of the gas.
    pub units: f64,
    /// What one of it takes, and costs with all that goes with it.
    pub ns: f64,
    pub gas: f64,
    /// Of the line through the times.
    pub r2: f64,
}

impl Item {
    /// Gas for a nanosecond.
    pub fn rate(&self) -> f64 {
        self.gas / self.ns
    }

    /// What the named price would have to be for the item to cost `rate`.
    pub fn implied(&self, rate: f64) -> f64 {
        (self.now + (rate * self.ns - self.gas) / self.units).max(0.0)
    }
}

/// Slope of the least-squares line, and R².
pub fn slope(points: &[(f64, f64)]) -> (f64, f64) {
    let n = points.len() as f64;
    let (mx, my) = points
        .iter()
        .fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in points {
        xx += (x - mx) * (x - mx);
        xy += (x - mx) * (y - my);
        yy += (y - my) * (y - my);
    }
    (xy / xx, if yy == 0.0 { 1.0 } else { xy * xy / (xx * yy) })
}

pub fn median(items: &[Item]) -> f64 {
    let mut rates: Vec<f64> = items.iter().map(Item::rate).collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(1.0)
}
