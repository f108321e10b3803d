// Each invocation computes one result.
@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let instances = atomicLoad(&state[0]);
    let rows = select(p[0], p[0] * instances, p[5] == 1u);
    let slices = select(p[6] * instances, p[6], p[5] == 1u);
    let t = (group.y * groups.x + group.x) * 64u + local;
    let line = t / p[1];
    let column = t - line * p[1];
    let slice = line / rows;
    if (slice >= slices) {
        return;
    }
    let r = row_at(slice, line - slice * rows, rows, true);
    let right = right_at(slice);
    var sum = 0;
    var row_sum = 0;
    var column_sum = 0;
    for (var k = 0u; k < p[3]; k++) {
        let word = left_word(r, k);
        let other = b[right + k * p[1] + column];
        sum += dot_bytes(word, other);
        {SUMS}
    }
    store(r, slice, column, sum, row_sum, column_sum);
}
