// Accumulators to bytes.
//   p[2] stride of a    p[3] elements of a channel    p[4] channels    p[5] where the multipliers are
//   p[6 ..] zero, least, greatest
fn element(instance: u32, i: u32, old: u32) -> u32 {
    let run = i / p[3];
    let channel = run - (run / p[4]) * p[4];
    let value = rescale(load_a(instance * p[2], i), p[5] + 4u * channel);
    return bitcast<u32>(saturate_to(value, 6u));
}
