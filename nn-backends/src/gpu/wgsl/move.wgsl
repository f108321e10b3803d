// Each element of the result is an element of `a`, a constant, or stays as it is.
//   p[2] stride of a    p[3] the constant    p[4] 1: keep the element instead    p[5] axes
//   p[6 + 6·axis ..] length, table (0: none), base, step, first index inside, first index behind
fn element(instance: u32, i: u32, old: u32) -> u32 {
    var rest = i;
    var at = 0u;
    for (var axis = p[5]; axis > 0u; axis--) {
        let o = 6u * axis;
        let length = p[o];
        let next = rest / length;
        let c = rest - next * length;
        rest = next;
        if (c < p[o + 4u] || c >= p[o + 5u]) {
            return select(p[3], old, p[4] == 1u);
        }
        if (p[o + 1u] != 0u) {
            at += p[p[o + 1u] + c];
        } else {
            at += p[o + 2u] + (c - p[o + 4u]) * p[o + 3u];
        }
    }
    return bitcast<u32>(load_a(instance * p[2], at));
}
