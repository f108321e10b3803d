// A function of broadcast elements.
//   p[2], p[3], p[4] strides of the operands    p[5] axes    p[6] where the function's parameters are
//   p[7 + 4·axis ..] length, step of each operand
fn element(instance: u32, i: u32, old: u32) -> u32 {
    var rest = i;
    var at = vec3<u32>(0u, 0u, 0u);
    for (var axis = p[5]; axis > 0u; axis--) {
        let o = 3u + 4u * axis;
        let length = p[o];
        let next = rest / length;
        let c = rest - next * length;
        rest = next;
        at += c * vec3<u32>(p[o + 1u], p[o + 2u], p[o + 3u]);
    }
    return bitcast<u32>(function({OPERANDS}));
}
