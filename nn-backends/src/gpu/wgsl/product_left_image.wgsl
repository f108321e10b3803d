// Four taps of a window.
//   p[19] taps' table    p[20] bytes of an image    p[21] height    p[22] width    p[23] columns of the result
//   p[24], p[25] steps    p[26], p[27] rows above, columns to the left
// Taps' table: offset in bytes, row and column within the window (16 bits each).
fn left_word(r: Row, k: u32) -> u32 {
    if (!r.live || k >= p[3]) {
        return 0u;
    }
    var word = 0u;
    for (var j = 0u; j < 4u; j++) {
        let tap = 4u * k + j;
        if (tap < p[2]) {
            let o = p[19] + 2u * tap;
            let place = p[o + 1u];
            var byte = r.zero;
            if (r.top + (place & 0xffffu) < p[21] && r.left + (place >> 16u) < p[22]) {
                let e = r.base + p[o];
                byte = ((a[e >> 2u] >> ((e & 3u) << 3u)) ^ p[10]) & 0xffu;
            }
            word |= byte << (8u * j);
        }
    }
    return word;
}
