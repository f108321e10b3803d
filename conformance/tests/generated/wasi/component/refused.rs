//! Refusals, each with its code and its sentence.

use super::*;

/// An input that does not fit: its name here, type, dimensions and data, and why.
type Wrong<'a> = (&'a str, u32, &'a [u32], &'a [u8], Refusal);

pub(super) fn refusals(file: &mut File, net: &Net) {
    let rule = "A refusal is an error with a code for programs and a sentence for people.";
    let mut refuse = |name: &str, own: Calls, error: u32, refusal: Refusal| {
        let own = own.refused(error, refusal);
        push(file, net, name, rule, own, OUT + 64, refusal.1.as_bytes());
    };
    let new = Calls::new;
    refuse(
        "a name that the chain does not give",
        new().named(b"other"),
        1,
        NO_MODEL,
    );
    refuse("an empty name", new().named(b""), 1, NO_MODEL);
    let nobody = "ab".repeat(32);
    refuse(
        "an address that no model has",
        new().named(nobody.as_bytes()),
        1,
        NO_MODEL,
    );
    for (name, encoding) in [
        ("OpenVINO", 0),
        ("TensorFlow", 2),
        ("PyTorch", 3),
        ("TensorFlow Lite", 4),
        ("GGML", 5),
    ] {
        let own = new().load(&[&net.onnx], encoding, 0);
        refuse(&format!("a model in {name}'s format"), own, 1, NO_ONNX);
    }
    refuse("a model of no parts", new().load(&[], 1, 0), 1, PARTS);
    let own = new().load(&[&net.onnx, &net.onnx], 1, 0);
    refuse("a model of two parts", own, 1, PARTS);
    let prices = aivm::GasSchedule::v1().nn;
    let reading = prices.register_base + 7 * prices.register_per_byte;
    let own = new().load(&[b"garbage"], 6, reading);
    refuse("bytes that are no model", own, 1, UNREADABLE);
    let other = Net::new(binary("Mul", (I32, &[4]), (I32, &[4])));
    let own = new().load(&[&other.onnx], 1, other.reading + other.nodes);
    refuse(
        "bytes of a model that the chain does not have",
        own,
        1,
        NO_MODEL,
    );
    // The inputs are gone then, and the error gets the handle that was freed last.
    let run = |inputs: &[(&str, u32)]| ready().compute(2, inputs, 0, 0);
    refuse("an input that is missing", run(&[("x1", 4)]), 4, MISSING);
    refuse("no inputs", run(&[]), 5, MISSING);
    for name in [
        "x2",
        "X0",
        "",
        "2",
        "+0",
        "-0",
        " 0",
        "0x0",
        "18446744073709551616",
    ] {
        let own = run(&[("x0", 3), (name, 4)]);
        refuse(&format!("an input of the name \"{name}\""), own, 4, NAME);
    }
    refuse(
        "an input twice by name",
        run(&[("x0", 3), ("x0", 4)]),
        4,
        TWICE,
    );
    refuse(
        "an input by name and by position",
        run(&[("x0", 3), ("0", 4)]),
        4,
        TWICE,
    );
    let i32 = number("i32");
    let good = ints(&A);
    let long = [&good[..], &[0]].concat();
    let wrong: [Wrong<'_>; 11] = [
        ("of f16", 0, &[4], &good, TYPE),
        ("of f32", 1, &[4], &good, TYPE),
        ("of f64", 2, &[4], &good, TYPE),
        ("of bf16", 3, &[4], &good, TYPE),
        ("of u8", 4, &[4], &good, TYPE),
        ("of i64", 6, &[4], &good, TYPE),
        ("of 3 elements", i32, &[3], &good[..12], SHAPE),
        ("of two dimensions", i32, &[2, 2], &good, SHAPE),
        ("of no dimensions", i32, &[], &good, SHAPE),
        ("a byte too short", i32, &[4], &good[..15], LENGTH),
        ("a byte too long", i32, &[4], &long, LENGTH),
    ];
    for (name, ty, dimensions, data, refusal) in wrong {
        let own = Calls::new()
            .named(b"sum")
            .context(1)
            .tensor(ty, dimensions, data, 3)
            .tensor(i32, &[4], &ints(&B), 4)
            .compute(2, &[("x0", 3), ("x1", 4)], 0, 0);
        refuse(&format!("an input {name}"), own, 4, refusal);
    }
    let wide = Net::new(onnx::one(
        "Transpose",
        &[(5, &[2, 2])],
        &[],
        &[onnx::ints("perm", &[1, 0])],
        (5, &[2, 2]),
    ));
    let own = Calls::new().named(b"sum").refused(1, FOREIGN);
    let rule = "The interface has no 16-bit integers: a model with them at its ends is an unsupported operation.";
    push(
        file,
        &wide,
        "a model of 16-bit integers",
        rule,
        own,
        OUT + 64,
        FOREIGN.1.as_bytes(),
    );
    let mut later = chain();
    let changes = [("nn/max_memory".to_owned(), json!(net.memory - 1))].into();
    later.schedules.insert(200, changes);
    let next = Action::Block {
        number: 200,
        timestamp: TIME + 200,
    };
    let own = Calls::new().named(b"sum").refused(1, HUNGRY);
    let script = own.0.shows(OUT + 64, HUNGRY.1.len() as u32);
    file.push(
        with_sum(
            "a model that a later schedule has no memory for",
            "A model that needs more memory than a later schedule allows is too large.",
            net,
        )
        .chain(later)
        .put("guest")
        .step(next, Claim::default())
        .call("guest", script.input(), script.returns(HUNGRY.1.as_bytes())),
    );
    let chain = chain_with(&[("nn/max_model_bytes", json!(net.onnx.len()))]);
    let bytes = [&net.onnx[..], &[0]].concat();
    let own = Calls::new().load(&[&bytes], 1, 0).refused(1, LONG);
    let script = own.0.shows(OUT + 64, LONG.1.len() as u32);
    file.push(
        with_sum(
            "bytes beyond what the schedule takes for a model",
            "More bytes than a model may have are not read, and reading is not charged.",
            net,
        )
        .chain(chain)
        .put("guest")
        .call("guest", script.input(), script.returns(LONG.1.as_bytes())),
    );
}
