//! Inferences that succeed, and tensors.

use super::*;

pub(super) fn good(file: &mut File, net: &Net) {
    let rule = "A model is loaded, runs on named tensors, and gives named tensors.";
    for (name, ty, net, [a, b], output) in crossing() {
        let ty = number(ty);
        let length = output.len() as u32;
        // What was given away is free again, the last first.
        let own = Calls::new()
            .named(b"sum")
            .context(1)
            .tensor(ty, &[4], &a, 3)
            .tensor(ty, &[4], &b, 4)
            .compute(2, &[("x0", 3), ("x1", 4)], ONE_OUTPUT, net.quote)
            .data(4, length);
        let name = format!("an inference on {name}");
        push(file, &net, &name, rule, own, OUT + 64, &output);
    }
    for (name, inputs) in [
        ("in the other order", [("x1", 4), ("x0", 3)]),
        ("by their positions", [("0", 3), ("1", 4)]),
        ("by position and by name", [("1", 4), ("x0", 3)]),
        (
            "by positions with zeros before them",
            [("00", 3), ("01", 4)],
        ),
    ] {
        let last = inputs[1].1;
        let own = ready()
            .compute(2, &inputs, ONE_OUTPUT, net.quote)
            .data(last, 16);
        push(
            file,
            net,
            &format!("inputs {name}"),
            "An input goes by its name in the model or by its position in decimal digits, in any order.",
            own,
            OUT + 64,
            &ints(&SUMS),
        );
    }
    let mut own = ready().compute(2, &[("x0", 3), ("x1", 4)], ONE_OUTPUT, net.quote);
    // The list of one output: its name's pointer and length, and its handle.
    own.0 =
        own.0
            .call(COPY, &[OUT + 20, OUT + 48, 12], 0, 0)
            .call(FETCH, &[OUT + 48, OUT + 60], 0, 1);
    let window = [&4u32.to_le_bytes()[..], b"y\0\0\0"].concat();
    push(
        file,
        net,
        "the name and the handle of an output",
        "Outputs come under their names in the model; a handle that was freed last is given first.",
        own,
        OUT + 56,
        &window,
    );
    let window: Vec<u8> = [0u32, 1, 0, 2]
        .iter()
        .flat_map(|w| w.to_le_bytes())
        .collect();
    let own = Calls::new().named(b"sum").context(1);
    push(
        file,
        net,
        "the first two handles",
        "Handles of all kinds come from one table, from 1.",
        own,
        OUT,
        &window,
    );
    let own = ready()
        .drop("graph", 1)
        .compute(2, &[("x0", 3), ("x1", 4)], ONE_OUTPUT, net.quote)
        .data(4, 16);
    push(
        file,
        net,
        "a context without its graph",
        "A context lives on when its graph is dropped.",
        own,
        OUT + 64,
        &ints(&SUMS),
    );
    let digits = net.digits();
    for text in [
        digits.clone(),
        format!("blake3:{digits}"),
        digits.to_uppercase(),
    ] {
        let own = Calls::new().named(text.as_bytes());
        let name = format!("the name {}...", &text[..12]);
        let rule = "A name may be the content address, 64 hexadecimal digits, with `blake3:` before them or not.";
        push(file, net, &name, rule, own, OUT, &[0, 0, 0, 0, 1, 0, 0, 0]);
    }
    for (name, encoding) in [("as ONNX", 1), ("of an encoding to be found out", 6)] {
        let own = Calls::new().load(&[&net.onnx], encoding, net.reading + net.nodes);
        push(
            file,
            net,
            &format!("a model from bytes {name}"),
            "The model that bytes are is served if the chain has it; finding out costs what registering costs.",
            own,
            OUT,
            &[0, 0, 0, 0, 1, 0, 0, 0],
        );
    }
}

pub(super) fn tensors(file: &mut File, net: &Net) {
    let rule = "A tensor gives back what it was made of, whatever that is; nothing is checked before it is used.";
    for (ty, name) in TYPES.iter().enumerate() {
        let (data, dimensions) = ([7, 8, 9, ty as u8, 255], [2, ty as u32, 0]);
        let own = Calls::new()
            .tensor(ty as u32, &dimensions, &data, 1)
            .call("tensor.[method]tensor.ty", &[1], 0, ty as u32)
            .data(1, 5)
            .call("tensor.[method]tensor.dimensions", &[1, OUT + 48], 12, 0);
        let own = Calls(own.0.call(COPY, &[OUT + 48, OUT + 69, 12], 0, 0));
        let mut window = data.to_vec();
        window.extend(dimensions.iter().flat_map(|d| d.to_le_bytes()));
        push(
            file,
            net,
            &format!("a tensor of {name}"),
            rule,
            own,
            OUT + 64,
            &window,
        );
    }
    let own = Calls::new()
        .tensor(0, &[], &[], 1)
        .call("tensor.[method]tensor.ty", &[1], 0, 0)
        .data(1, 0)
        .call("tensor.[method]tensor.dimensions", &[1, OUT], 0, 0);
    push(
        file,
        net,
        "a tensor of nothing",
        rule,
        own,
        OUT + 4,
        &[0; 4],
    );
    // Handles that are free are given again, the last first.
    let one = |own: Calls, handle| own.tensor(4, &[1], &[handle as u8], handle);
    let mut own = Calls::new();
    for handle in [1, 2, 3] {
        own = one(own, handle);
    }
    own = own.drop("tensor", 2).drop("tensor", 1);
    for handle in [1, 2, 4] {
        own = one(own, handle);
    }
    let rule = "A handle that was freed last is given first.";
    push(
        file,
        net,
        "handles that are used again",
        rule,
        own,
        OUT,
        &[],
    );
}
