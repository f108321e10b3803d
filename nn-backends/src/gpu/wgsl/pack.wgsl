// The right matrices of products, four elements of a column in a word: the layout that `product` reads.
//   p[2] stride of a    p[3] rows    p[4] columns    p[5] words of a column    p[6] flipped bits
fn element(instance: u32, i: u32, old: u32) -> u32 {
    let line = i / p[4];
    let n = i - line * p[4];
    let matrix = line / p[5];
    let k = (line - matrix * p[5]) * 4u;
    var word = 0u;
    for (var j = 0u; j < 4u; j++) {
        if (k + j < p[3]) {
            let e = (matrix * p[3] + k + j) * p[4] + n;
            let byte = (a[instance * p[2] + (e >> 2u)] >> ((e & 3u) << 3u)) & 0xffu;
            word |= (byte ^ (p[6] & 0xffu)) << (8u * j);
        }
    }
    return word;
}
