//! Inputs and outputs that do not fit.

use super::*;

pub(super) fn inputs(file: &mut File, net: &Net) {
    let rule = "A number that names no graph or context of this call is an invalid argument.";
    for (name, graph) in [("graph 1", 1), ("graph 4,294,967,295", u32::MAX)] {
        let old = Calls::new()
            .named(b"sum", 0)
            .context(graph, INVALID_ARGUMENT);
        push(
            file,
            net,
            &format!("a context of {name}"),
            rule,
            old,
            &[0; 8],
        );
    }
    let old = Calls::new().context(0, INVALID_ARGUMENT);
    push(file, net, "a context before any graph", rule, old, &[0; 8]);
    for context in [1, u32::MAX] {
        let mut old = ready();
        let (a, _) = pair(&mut old);
        let old = old
            .set(context, 0, a, INVALID_ARGUMENT)
            .compute(context, 0, INVALID_ARGUMENT)
            .output(context, 0, 16, 0, INVALID_ARGUMENT);
        push(
            file,
            net,
            &format!("context {context}"),
            rule,
            old,
            &window(0, 0, &[]),
        );
    }
    let rule = "An input has its place, type, shape and length from the model; any other is an invalid argument.";
    let good = ints(&[1, 2, 3, 4]);
    let i32 = number("i32");
    for (name, index, ty, dimensions, data) in [
        ("at place 2", 2, i32, &[4][..], &good[..]),
        ("at place 4,294,967,295", u32::MAX, i32, &[4], &good),
        ("of f16", 0, number("f16"), &[4], &good),
        ("of f32", 0, number("f32"), &[4], &good),
        ("of f64", 0, number("f64"), &[4], &good),
        ("of u8", 0, number("u8"), &[4], &good),
        ("of i64", 0, number("i64"), &[4], &good),
        ("of 3 elements", 0, i32, &[3], &good[..12]),
        ("of two dimensions", 0, i32, &[2, 2], &good),
        ("of no dimensions", 0, i32, &[], &good[..4]),
        ("with a dimension of 1 behind", 0, i32, &[4, 1], &good),
        ("a byte too short", 0, i32, &[4], &good[..15]),
        ("a byte too long", 0, i32, &[4], &[&good[..], &[0]].concat()),
        ("without data", 0, i32, &[4], &[]),
    ] {
        let mut old = ready();
        let tensor = old.tensor(ty, dimensions, data);
        // What was set before stays.
        let old = old
            .set(0, index, tensor, INVALID_ARGUMENT)
            .compute(0, net.quote, 0)
            .output(0, 0, 16, 16, 0);
        let window = window(0, 0, &ints(&SUMS));
        push(file, net, &format!("an input {name}"), rule, old, &window);
    }
    let mut old = Calls::new().named(b"sum", 0).context(0, 0);
    // The dimensions have been paid for then, and not the data behind the type.
    let (tensor, _) = old.tensor(6, &[4], &good);
    let rule = "A number that is none of the enumeration's is a trap.";
    let old = old.set(0, 0, (tensor, 4), 0);
    trap(
        file,
        net,
        "an input of a type that there is not",
        rule,
        old,
        TrapCode::BadArgument,
    );
}

pub(super) fn outputs(file: &mut File, net: &Net) {
    let rule = "A model runs when all of its inputs are set, and no gas is charged before.";
    let old = Calls::new()
        .named(b"sum", 0)
        .context(0, 0)
        .compute(0, 0, INVALID_ARGUMENT);
    push(file, net, "an inference without inputs", rule, old, &[0; 8]);
    for set in [0, 1] {
        let mut old = Calls::new();
        let (a, _) = pair(&mut old);
        let old = old
            .named(b"sum", 0)
            .context(0, 0)
            .set(0, set, a, 0)
            .compute(0, 0, INVALID_ARGUMENT)
            .output(0, 0, 16, 0, RUNTIME_ERROR);
        let name = format!("an inference with input {set} alone");
        push(file, net, &name, rule, old, &window(0, 0, &[]));
    }
    let rule = "There is no output before the model has run.";
    let old = ready().output(0, 0, 16, 0, RUNTIME_ERROR);
    push(
        file,
        net,
        "an output before the inference",
        rule,
        old,
        &window(0, 0, &[]),
    );
    let rule = "A buffer that is too small is an error, and nothing is written.";
    for capacity in [0, 1, 15] {
        let old = ready()
            .compute(0, net.quote, 0)
            .output(0, 0, capacity, 0, TOO_LARGE);
        let name = format!("an output into {capacity} bytes");
        push(file, net, &name, rule, old, &window(0, 0, &[]));
    }
    for capacity in [16, 17, 1_000] {
        let old = ready()
            .compute(0, net.quote, 0)
            .output(0, 0, capacity, 16, 0);
        push(
            file,
            net,
            &format!("an output into {capacity} bytes"),
            "A buffer may be larger than the output, whose length is told.",
            old,
            &window(0, 0, &ints(&SUMS)),
        );
    }
    for index in [1, u32::MAX] {
        let old = ready()
            .compute(0, net.quote, 0)
            .output(0, index, 16, 0, INVALID_ARGUMENT);
        let rule = "An output that the model does not have is an invalid argument.";
        push(
            file,
            net,
            &format!("output {index}"),
            rule,
            old,
            &window(0, 0, &[]),
        );
    }
}
