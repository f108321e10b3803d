// Elements along axes become one.
//   p[2] stride of a    p[3] elements of a group    p[4] axes    p[5] axes of a group
//   p[6 + 2·axis ..] length and step of each axis, then of each axis of a group
fn offset_of(i: u32, first: u32, count: u32) -> u32 {
    var rest = i;
    var at = 0u;
    for (var axis = count; axis > 0u; axis--) {
        let o = 4u + 2u * (first + axis);
        let next = rest / p[o];
        at += (rest - next * p[o]) * p[o + 1u];
        rest = next;
    }
    return at;
}

fn element(instance: u32, i: u32, old: u32) -> u32 {
    let base = instance * p[2];
    let start = offset_of({INDEX}, 0u, p[4]);
    var best = {FIRST};
    var found = 0u;
    for (var j = {FROM}; j < p[3]; j++) {
        let x = load_a(base, start + offset_of(j, p[4], p[5]));
        {STEP}
    }
    return {RESULT};
}
