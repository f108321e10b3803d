//! Loading models, by name and from bytes, on chains of several kinds.

use super::*;

pub(super) fn loads(file: &mut File, net: &Net) {
    let onnx = net.onnx.as_slice();
    let rule = "The model that bytes are is served if the chain has it; finding out costs what registering costs.";
    for (name, encoding, target) in [
        ("as ONNX", 1, 0),
        ("for a GPU", 1, 1),
        ("for a TPU", 1, 2),
        ("of an encoding to be found out", 5, 0),
    ] {
        let mut old = Calls::new();
        let (a, b) = pair(&mut old);
        let mut old = old.load(&[onnx], encoding, target, 0);
        old.0 = old.0.pays(net.reading + net.nodes);
        let old = old
            .context(0, 0)
            .set(0, 0, a, 0)
            .set(0, 1, b, 0)
            .compute(0, net.quote, 0)
            .output(0, 0, 16, 16, 0);
        let window = window(0, 0, &ints(&SUMS));
        push(
            file,
            net,
            &format!("a model from bytes {name}"),
            rule,
            old,
            &window,
        );
    }
    let other = Net::new(binary("Mul", (I32, &[4]), (I32, &[4])));
    let mut old = Calls::new().load(&[&other.onnx], 1, 0, NOT_FOUND);
    old.0 = old.0.pays(other.reading + other.nodes);
    push(
        file,
        net,
        "bytes of a model that the chain does not have",
        "A model that nobody registered is not run, though its bytes are all there.",
        old,
        &[0; 4],
    );
    for (name, bytes) in [
        ("no bytes", &b""[..]),
        ("bytes that are no model", b"garbage\xff"),
    ] {
        let mut old = Calls::new().load(&[bytes], 1, 0, INVALID_ENCODING);
        let prices = aivm::GasSchedule::v1().nn;
        let reading = prices.register_base + prices.register_per_byte * bytes.len() as u64;
        old.0 = old.0.pays(reading);
        let rule = "Reading bytes is paid for whatever they are.";
        push(
            file,
            net,
            &format!("a model from {name}"),
            rule,
            old,
            &[0; 4],
        );
    }
    for (name, encoding) in [
        ("OpenVINO", 0),
        ("TensorFlow", 2),
        ("PyTorch", 3),
        ("TensorFlow Lite", 4),
    ] {
        let old = Calls::new().load(&[onnx], encoding, 0, INVALID_ENCODING);
        let rule = "Only ONNX is served; nothing else is read.";
        push(
            file,
            net,
            &format!("a model in {name}'s format"),
            rule,
            old,
            &[0; 4],
        );
    }
    for (name, parts) in [("no parts", &[][..]), ("two parts", &[onnx, onnx])] {
        let old = Calls::new().load(parts, 1, 0, INVALID_ARGUMENT);
        let rule = "An ONNX model is one sequence of bytes.";
        push(file, net, &format!("a model of {name}"), rule, old, &[0; 4]);
    }
    let digits = net.digits();
    let nobody = "0".repeat(64);
    for (name, text) in [
        ("that the chain does not give", "sums"),
        ("that is empty", ""),
        ("in other letters", "Sum"),
        ("of 63 digits", &digits[1..]),
        ("of 64 digits that no model has", &nobody),
        ("of a tag alone", "blake3:"),
        ("with another tag", &format!("sha256:{digits}")),
    ] {
        let old = Calls::new().named(text.as_bytes(), NOT_FOUND);
        let rule = "A name that leads to no model is not found.";
        push(file, net, &format!("a name {name}"), rule, old, &[0; 4]);
    }
    let named = Calls::new().named(b"\xff\xfe", 0);
    trap(
        file,
        net,
        "a name that is no text",
        "A name is UTF-8.",
        named,
        TrapCode::BadArgument,
    );
    for (name, encoding, target) in [("an encoding", 6, 0), ("a target", 1, 3)] {
        let old = Calls::new().load(&[onnx], encoding, target, 0);
        trap(
            file,
            net,
            &format!("{name} that there is not"),
            "A number that is none of the enumeration's is a trap.",
            old,
            TrapCode::BadArgument,
        );
    }
}

/// What the chain and its schedule decide.
pub(super) fn chains(file: &mut File, net: &Net) {
    let wide = Net::new(onnx::one(
        "Transpose",
        &[(5, &[2, 2])],
        &[],
        &[onnx::ints("perm", &[1, 0])],
        (5, &[2, 2]),
    ));
    let old = Calls::new().named(b"sum", UNSUPPORTED);
    push(
        file,
        &wide,
        "a model of 16-bit integers",
        "The interface has no 16-bit integers: a model with them at its ends is an unsupported operation.",
        old,
        &[0; 4],
    );
    let quotient = Net::new(binary("Div", (I32, &[4]), (I32, &[4])));
    let mut old = Calls::new();
    let a = old.tensor(number("i32"), &[4], &ints(&[1, 2, 3, 4]));
    let zero = old.tensor(number("i32"), &[4], &ints(&[1, 0, 1, 1]));
    let old = old
        .named(b"sum", 0)
        .context(0, 0)
        .set(0, 0, a, 0)
        .set(0, 1, zero, 0)
        .compute(0, quotient.quote, 0);
    trap(
        file,
        &quotient,
        "an inference that divides by zero",
        "A division by zero inside of a model is a trap, after the inference was charged.",
        old,
        TrapCode::BadArgument,
    );
    // A later schedule has less room for models.
    let memory = net.memory;
    for (path, value, errno, rule) in [
        (
            "nn/max_memory",
            memory - 1,
            TOO_LARGE,
            "A model that needs more memory than a later schedule allows is too large.",
        ),
        (
            "nn/max_memory",
            memory,
            0,
            "A model that needs all the memory that the schedule allows is found.",
        ),
        (
            "nn/max_model_bytes",
            net.onnx.len() as u64 - 1,
            INVALID_ENCODING,
            "Bytes that a later schedule does not take for a model are an invalid encoding.",
        ),
        (
            "nn/max_model_bytes",
            net.onnx.len() as u64,
            0,
            "A model of as many bytes as the schedule takes is found.",
        ),
    ] {
        let mut chain = chain();
        let changes = [(path.to_owned(), json!(value))].into();
        chain.schedules.insert(200, changes);
        let next = Action::Block {
            number: 200,
            timestamp: TIME + 200,
        };
        let old = Calls::new().named(b"sum", errno).0.shows(OUT, 4);
        file.push(
            with_sum(
                format!("a model of {value} bytes under a later schedule"),
                rule,
                net,
            )
            .chain(chain)
            .put("guest")
            .step(next, Claim::default())
            .call("guest", old.input(), old.returns(&[0; 4])),
        );
    }
    let chain = chain_with(&[("nn/max_model_bytes", json!(net.onnx.len()))]);
    let long = [&net.onnx[..], &[0]].concat();
    let old = Calls::new().load(&[&long], 1, 0, TOO_LARGE).0.shows(OUT, 4);
    file.push(
        with_sum(
            "bytes beyond what the schedule takes for a model",
            "More bytes than a model may have are not read, and reading is not charged.",
            net,
        )
        .chain(chain)
        .put("guest")
        .call("guest", old.input(), old.returns(&[0; 4])),
    );
    // A name that the chain gives to something else, and a model that it does not have.
    let renamed = Action::NameModel {
        name: "sum".to_owned(),
        model: aivm_abi::Digest([7; 32]),
    };
    let old = Calls::new().named(b"sum", NOT_FOUND).0.shows(OUT, 4);
    file.push(
        with_sum(
            "a name of a model that the chain does not have",
            "A name leads to a content address, under which there may be nothing.",
            net,
        )
        .step(renamed, Claim::done())
        .put("guest")
        .call("guest", old.input(), old.returns(&[0; 4])),
    );
    // Nothing of one call is there in the next, or in a query.
    let first = ready().compute(0, net.quote, 0).output(0, 0, 16, 16, 0);
    let first = first.0.shows(OUT, 48);
    let then = Calls::new()
        .context(0, INVALID_ARGUMENT)
        .output(0, 0, 16, 0, INVALID_ARGUMENT);
    let then = then.0.shows(OUT, 48);
    let sums = window(0, 0, &ints(&SUMS));
    file.push(
        with_sum(
            "graphs and contexts end with their call",
            "What a call has loaded, the next does not have; a query may infer.",
            net,
        )
        .put("guest")
        .call("guest", first.input(), first.returns(&sums))
        .call("guest", then.input(), then.returns(&[0; 48]))
        .query("guest", first.input(), first.returns(&sums)),
    );
    // Fetching is the script's own; it shows that the name's bytes are where they should be.
    let mut old = Calls::new();
    let name = old.0.put(b"sum");
    let pair = old.0.put(&[name, 3].map(u32::to_le_bytes).concat());
    old.0 = old.0.call(FETCH, &[pair, OUT], 0, 3);
    let old = old.call("load_by_name", &[OUT, 3, OUT + 4], 3, 0);
    push(
        file,
        net,
        "a name in memory of the guest's own",
        "Arguments may lie anywhere in memory.",
        old,
        &[&b"sum\0"[..], &[0; 4]].concat(),
    );
}
