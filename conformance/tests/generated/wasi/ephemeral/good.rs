//! Inferences that succeed.

use super::*;

pub(super) fn good(file: &mut File, net: &Net) {
    let rule = "A model is loaded, gets its inputs one by one, runs, and gives its output.";
    for (name, ty, net, data, output) in crossing() {
        let mut old = Calls::new();
        let placed = data.map(|data| old.tensor(number(ty), &[4], &data));
        let length = output.len() as u64;
        let old = old
            .named(b"sum", 0)
            .context(0, 0)
            .set(0, 0, placed[0], 0)
            .set(0, 1, placed[1], 0)
            .compute(0, net.quote, 0)
            .output(0, 0, 32, length, 0);
        let name = format!("an inference on {name}");
        push(file, &net, &name, rule, old, &window(0, 0, &output));
    }
    let digits = net.digits();
    for (name, text) in [
        ("content address", digits.clone()),
        ("tagged content address", format!("blake3:{digits}")),
        ("content address in capitals", digits.to_uppercase()),
    ] {
        let mut old = Calls::new();
        let (a, b) = pair(&mut old);
        let old = old
            .named(text.as_bytes(), 0)
            .context(0, 0)
            .set(0, 1, b, 0)
            .set(0, 0, a, 0)
            .compute(0, net.quote, 0)
            .output(0, 0, 16, 16, 0);
        push(
            file,
            net,
            &format!("a model by its {name}"),
            "A name may be the content address, 64 hexadecimal digits, with `blake3:` before them or not.",
            old,
            &window(0, 0, &ints(&SUMS)),
        );
    }
    let old = ready()
        .compute(0, net.quote, 0)
        .compute(0, net.quote, 0)
        .output(0, 0, 16, 16, 0);
    push(
        file,
        net,
        "an inference that runs twice",
        "Each computation is paid for; inputs stay.",
        old,
        &window(0, 0, &ints(&SUMS)),
    );
    let mut old = ready().compute(0, net.quote, 0);
    let other = old.tensor(number("i32"), &[4], &ints(&[100, 200, 300, 400]));
    let before = old.clone().set(0, 0, other, 0).output(0, 0, 16, 16, 0);
    push(
        file,
        net,
        "an input that is set after the inference",
        "The output stays that of the last computation.",
        before,
        &window(0, 0, &ints(&SUMS)),
    );
    let after = old
        .set(0, 0, other, 0)
        .compute(0, net.quote, 0)
        .output(0, 0, 16, 16, 0);
    push(
        file,
        net,
        "an input that is set again",
        "An input that is set again replaces the one before.",
        after,
        &window(0, 0, &ints(&[110, 220, 330, 440])),
    );
    let old = Calls::new()
        .named(b"sum", 0)
        .named(b"sum", 0)
        .named(b"sum", 0)
        .context(1, 0)
        .context(2, 0);
    push(
        file,
        net,
        "numbers of graphs and contexts",
        "Graphs and contexts are numbered from 0, in the order in which they are made.",
        old,
        &window(2, 1, &[]),
    );
}
