// Products of 8-bit matrices in 32 bits. Bytes are signed here; an unsigned operand is read with its top bits flipped,
// and its zero point likewise. Rows are those of all instances, unless the right side differs from one to the next.
//   p[0] rows of an instance    p[1] columns    p[2] depth    p[3] words of depth    p[4] mask of the last word
//   p[5] 1: rows of all instances together    p[6] slices of an instance    p[7], p[8], p[9] strides of a, b, y
//   p[10] bits to flip    p[11] stride of c, the zero points of a    p[12] 1: one for each row    p[13] columns' table
//   p[14] slices' table    p[15] rows of an image    p[16], p[17], p[18] step in y of an image, a row, a column
// Columns' table: bias, factor of the zero point of a, zero point of b. Slices' table: offset in a (bytes), b, y, columns.
struct Row {
    live: bool,
    instance: u32,
    // Row within its instance.
    index: u32,
    // First byte in a.
    base: u32,
    top: u32,
    left: u32,
    // Byte for what lies outside the image.
    zero: u32,
}

fn row_at(slice: u32, row_asked: u32, rows: u32, live: bool) -> Row {
    var r: Row;
    r.live = live && row_asked < rows;
    let row = select(0u, row_asked, r.live);
    var s = slice;
    if (p[5] == 1u) {
        r.instance = row / p[0];
        r.index = row - r.instance * p[0];
    } else {
        r.instance = slice / p[6];
        r.index = row;
        s = slice - r.instance * p[6];
    }
    let which = r.index * p[12];
    r.zero = ((c[r.instance * p[11] + (which >> 2u)] >> ((which & 3u) << 3u)) ^ p[10]) & 0xffu;
    r.base = r.instance * p[7] * 4u + p[p[14] + 4u * s];
{PLACE}
    return r;
}

{LEFT}

{DOT}

fn signed(byte: u32) -> i32 {
    return bitcast<i32>(byte << 24u) >> 24u;
}

// Where a slice's right side starts.
fn right_at(slice: u32) -> u32 {
    if (p[5] == 1u) {
        return p[p[14] + 4u * slice + 1u];
    }
    let instance = slice / p[6];
    return instance * p[8] + p[p[14] + 4u * (slice - instance * p[6]) + 1u];
}

fn store(r: Row, slice: u32, column: u32, sum: i32, row_sum: i32, column_sum: i32) {
    if (!r.live || column >= p[1]) {
        return;
    }
    let s = p[14] + 4u * (slice - (slice / p[6]) * p[6]);
    let t = p[13] + 3u * (p[s + 3u] + column);
    let factor = bitcast<i32>(p[t + 1u]) - column_sum;
    let value = sum + bitcast<i32>(p[t]) + signed(r.zero) * factor - bitcast<i32>(p[t + 2u]) * row_sum;
    let image = r.index / p[15];
    let inner = r.index - image * p[15];
    let at = r.instance * p[9] + p[s + 2u] + image * p[16] + inner * p[17] + column * p[18];
    y[at] = bitcast<u32>(value);
}
