// Four bytes of a row.
fn left_word(r: Row, k: u32) -> u32 {
    if (!r.live || k >= p[3]) {
        return 0u;
    }
    let e = r.base + 4u * k;
    let shift = (e & 3u) << 3u;
    var word = a[e >> 2u] >> shift;
    if (shift != 0u) {
        word |= a[(e >> 2u) + 1u] << (32u - shift);
    }
    return (word ^ p[10]) & select(0xffffffffu, p[4], k + 1u == p[3]);
}
