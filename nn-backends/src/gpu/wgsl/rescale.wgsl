// RNE(clamp(acc, low, high) · m / 2^s), the product in 16-bit limbs.
//   p[at ..] m, s (13 to 60), low, high
fn rescale(acc: i32, at: u32) -> i32 {
    let m = p[at];
    let s = p[at + 1u];
    let x = clamp(acc, bitcast<i32>(p[at + 2u]), bitcast<i32>(p[at + 3u]));
    let bits = bitcast<u32>(x);
    let u = select(bits, 0u - bits, x < 0);
    let u0 = u & 0xffffu;
    let u1 = u >> 16u;
    let m0 = m & 0xffffu;
    let m1 = m >> 16u;
    let low = u0 * m0;
    let left = u1 * m0;
    let right = u0 * m1;
    let middle = (low >> 16u) + (left & 0xffffu) + (right & 0xffffu);
    let lo = (low & 0xffffu) | (middle << 16u);
    let hi = u1 * m1 + (left >> 16u) + (right >> 16u) + (middle >> 16u);
    var q = 0u;
    var rest = vec2<u32>(0u, 0u);
    var half = vec2<u32>(0u, 0u);
    if (s < 32u) {
        q = (hi << (32u - s)) | (lo >> s);
        rest = vec2<u32>(lo & ((1u << s) - 1u), 0u);
        half = vec2<u32>(1u << (s - 1u), 0u);
    } else {
        let k = s - 32u;
        q = hi >> k;
        rest = vec2<u32>(lo, hi & ((1u << k) - 1u));
        half = vec2<u32>(select(0u, 0x80000000u, k == 0u), (1u << k) >> 1u);
    }
    let above = rest.y > half.y || (rest.y == half.y && rest.x > half.x);
    let tie = rest.y == half.y && rest.x == half.x;
    if (above || (tie && (q & 1u) == 1u)) {
        q += 1u;
    }
    let magnitude = bitcast<i32>(q);
    return select(magnitude, 0 - magnitude, x < 0);
}

//   p[at ..] zero, least, greatest
fn saturate_to(value: i32, at: u32) -> i32 {
    return clamp(value + bitcast<i32>(p[at]), bitcast<i32>(p[at + 1u]), bitcast<i32>(p[at + 2u]));
}
