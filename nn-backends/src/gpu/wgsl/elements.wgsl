// One invocation for each word of the result; a word holds {LANES} elements. Instances follow one another.
//   p[0] words of an instance    p[1] elements of an instance
@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let t = (group.y * groups.x + group.x) * 64u + local;
    let instance = t / p[0];
    if (instance >= atomicLoad(&state[0])) {
        return;
    }
    let word = t - instance * p[0];
    var value = {START};
    for (var lane = 0u; lane < {LANES}u; lane++) {
        let i = word * {LANES}u + lane;
        if (i < p[1]) {
            let at = lane * {BITS}u;
            let old = (value >> at) & {MASK}u;
            let fresh = element(instance, i, old) & {MASK}u;
            value = value ^ ((old ^ fresh) << at);
        }
    }
    y[t] = value;
}
