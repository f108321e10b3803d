// Windows over planes.
//   p[2] stride of a    p[3] height    p[4] width    p[5] rows    p[6] columns of the result    p[7], p[8] window
//   p[9], p[10] steps    p[11], p[12] steps within a window    p[13], p[14] rows above, columns to the left
//   p[15 ..] zero, least, greatest    p[18] zero point of a    p[19], p[20] classes of rows and columns    p[21] column classes
//   p[22] multiplier for each pair of classes
fn element(instance: u32, i: u32, old: u32) -> u32 {
    let row = i / p[6];
    let column = i - row * p[6];
    let plane = row / p[5];
    let top = (row - plane * p[5]) * p[9] - p[13];
    let left = column * p[10] - p[14];
    let base = instance * p[2];
    var value = {FIRST};
    for (var ky = 0u; ky < p[7]; ky++) {
        let sy = top + ky * p[11];
        for (var kx = 0u; kx < p[8]; kx++) {
            let sx = left + kx * p[12];
            if (sy < p[3] && sx < p[4]) {
                let x = load_a(base, (plane * p[3] + sy) * p[4] + sx);
                value = {STEP};
            }
        }
    }
    return bitcast<u32>({RESULT});
}
