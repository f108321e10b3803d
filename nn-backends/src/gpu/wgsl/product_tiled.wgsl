// Each workgroup computes 32 × 32 results, each invocation 4 × 4 of them.
var<workgroup> tile_a: array<u32, 256>;
var<workgroup> tile_b: array<u32, 256>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let instances = atomicLoad(&state[0]);
    let rows = select(p[0], p[0] * instances, p[5] == 1u);
    let slices = select(p[6] * instances, p[6], p[5] == 1u);
    let across = (p[1] + 31u) / 32u;
    let down = (rows + 31u) / 32u;
    let tile = group.y * groups.x + group.x;
    let line = tile / across;
    let slice_at = line / down;
    let live = slice_at < slices;
    let slice = min(slice_at, slices - 1u);
    let first_row = (line - slice_at * down) * 32u;
    let first_column = (tile - line * across) * 32u;
    let right = right_at(slice);

    var read: array<Row, 4>;
    for (var i = 0u; i < 4u; i++) {
        read[i] = row_at(slice, first_row + (local >> 3u) + 8u * i, rows, live);
    }
    var sums: array<i32, 16>;
    var row_sums: array<i32, 4>;
    var column_sums: array<i32, 4>;
    let ty = local >> 3u;
    let tx = local & 7u;
    for (var k = 0u; k < p[3]; k += 8u) {
        for (var i = 0u; i < 4u; i++) {
            let at = local + 64u * i;
            tile_a[at] = left_word(read[i], k + (local & 7u));
            let row = k + (at >> 5u);
            let column = first_column + (at & 31u);
            var word = 0u;
            if (live && row < p[3] && column < p[1]) {
                word = b[right + row * p[1] + column];
            }
            tile_b[at] = word;
        }
        workgroupBarrier();
        for (var kk = 0u; kk < 8u; kk++) {
            var words: array<u32, 4>;
            for (var j = 0u; j < 4u; j++) {
                words[j] = tile_b[kk * 32u + tx + 8u * j];
                {COLUMN_SUMS}
            }
            for (var i = 0u; i < 4u; i++) {
                let word = tile_a[(ty + 8u * i) * 8u + kk];
                {ROW_SUMS}
                for (var j = 0u; j < 4u; j++) {
                    sums[4u * i + j] += dot_bytes(word, words[j]);
                }
            }
        }
        workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i++) {
        for (var j = 0u; j < 4u; j++) {
            store(read[i], slice, first_column + tx + 8u * j, sums[4u * i + j], row_sums[i], column_sums[j]);
        }
    }
}
