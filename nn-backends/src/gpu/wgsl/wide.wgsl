// 64-bit numbers in two words, the low one first.
fn add64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

// m · v of a 24-bit m and a v of any sign within 16 bits.
fn product64(m: u32, v: i32) -> vec2<u32> {
    let u = bitcast<u32>(select(v, 0 - v, v < 0));
    let low = u * (m & 0xffffu);
    let high = u * (m >> 16u);
    let middle = (low >> 16u) + (high & 0xffffu);
    let value = vec2<u32>((low & 0xffffu) | (middle << 16u), (high >> 16u) + (middle >> 16u));
    if (v < 0) {
        return add64(vec2<u32>(~value.x, ~value.y), vec2<u32>(1u, 0u));
    }
    return value;
}

fn left64(a: vec2<u32>, s: u32) -> vec2<u32> {
    if (s == 0u) {
        return a;
    }
    if (s < 32u) {
        return vec2<u32>(a.x << s, (a.y << s) | (a.x >> (32u - s)));
    }
    return vec2<u32>(0u, a.x << (s - 32u));
}

// Towards minus infinity.
fn right64(a: vec2<u32>, s: u32) -> vec2<u32> {
    if (s == 0u) {
        return a;
    }
    let high = bitcast<i32>(a.y);
    if (s < 32u) {
        return vec2<u32>((a.x >> s) | (a.y << (32u - s)), bitcast<u32>(high >> s));
    }
    return vec2<u32>(bitcast<u32>(high >> (s - 32u)), bitcast<u32>(high >> 31u));
}

// The lowest s bits.
fn rest64(a: vec2<u32>, s: u32) -> vec2<u32> {
    if (s < 32u) {
        return vec2<u32>(a.x & ((1u << s) - 1u), 0u);
    }
    return vec2<u32>(a.x, a.y & ((1u << (s - 32u)) - 1u));
}

// clamp(zero + RNE(a · m_a / 2^s_a + b · m_b / 2^s_b)), exact until it is rounded once.
//   p[at ..] m_a, s_a, m_b, s_b, zero, least, greatest
fn fixed_point_sum(a: i32, b: i32, at: u32) -> i32 {
    let s_a = p[at + 1u];
    let s_b = p[at + 3u];
    let s = max(s_a, s_b);
    let x = product64(p[at], a);
    let z = product64(p[at + 2u], b);
    let fraction = add64(left64(rest64(x, s_a), s - s_a), left64(rest64(z, s_b), s - s_b));
    var q = add64(add64(right64(x, s_a), right64(z, s_b)), right64(fraction, s));
    if (s > 0u) {
        let rest = rest64(fraction, s);
        let half = left64(vec2<u32>(1u, 0u), s - 1u);
        let above = rest.y > half.y || (rest.y == half.y && rest.x > half.x);
        let tie = rest.y == half.y && rest.x == half.x;
        if (above || (tie && (q.x & 1u) == 1u)) {
            q = add64(q, vec2<u32>(1u, 0u));
        }
    }
    // Beyond 32 bits only the sign matters.
    let low = bitcast<i32>(q.x);
    let high = bitcast<i32>(q.y);
    var sum = clamp(low, -100000, 100000);
    if (high != (low >> 31u)) {
        sum = select(100000, -100000, high < 0);
    }
    return clamp(sum + bitcast<i32>(p[at + 4u]), bitcast<i32>(p[at + 5u]), bitcast<i32>(p[at + 6u]));
}
