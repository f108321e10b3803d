// Slices of `a` along one axis, at indices that are known only now.
//   p[2] stride of a    p[3] stride of b    p[4] length of the axis    p[5] indices    p[6] elements of a slice    p[7] node
fn element(instance: u32, i: u32, old: u32) -> u32 {
    let row = i / p[6];
    let inner = i - row * p[6];
    let outer = row / p[5];
    let which = row - outer * p[5];
    var index = index_of(instance * p[3], which);
    if (index >= p[4]) {
        atomicMin(&state[1u + instance], p[7]);
        index = 0u;
    }
    return bitcast<u32>(load_a(instance * p[2], (outer * p[4] + index) * p[6] + inner));
}
