//! Handles, and how much a call may hold.

use super::*;

pub(super) fn handles(file: &mut File, net: &Net) {
    let ty = "tensor.[method]tensor.ty";
    let bad = TrapCode::BadHandle;
    for handle in [0, 1, 5, u32::MAX] {
        let own = Calls::new().call(ty, &[handle], 0, 0);
        trap(
            file,
            net,
            &format!("handle {handle} before any was given"),
            own,
            bad,
        );
    }
    let made = || Calls::new().tensor(4, &[1], &[1], 1);
    for (name, own) in [
        (
            "a tensor that was dropped",
            made().drop("tensor", 1).call(ty, &[1], 0, 0),
        ),
        (
            "a tensor that is dropped twice",
            made().drop("tensor", 1).drop("tensor", 1),
        ),
        ("a tensor dropped as an error", made().drop("error", 1)),
        ("a tensor dropped as a graph", made().drop("graph", 1)),
        (
            "a tensor dropped as a context",
            made().drop("graph-execution-context", 1),
        ),
        (
            "the code of a tensor",
            made().call("errors.[method]error.code", &[1], 0, 0),
        ),
        ("a context of a tensor", made().context(1)),
        (
            "the type of a graph",
            Calls::new().named(b"sum").call(ty, &[1], 0, 0),
        ),
        (
            "an inference in a graph",
            Calls::new().named(b"sum").compute(1, &[], 0, 0),
        ),
        (
            "the type of an error",
            Calls::new().named(b"other").call(ty, &[1], 0, 0),
        ),
        (
            "an error that was dropped",
            Calls::new().named(b"other").drop("error", 1).call(
                "errors.[method]error.code",
                &[1],
                0,
                0,
            ),
        ),
        (
            "a context of a graph that was dropped",
            Calls::new().named(b"sum").drop("graph", 1).context(1),
        ),
        (
            "an inference in a context that was dropped",
            ready()
                .drop("graph-execution-context", 2)
                .compute(2, &[], 0, 0),
        ),
    ] {
        trap(file, net, name, own, bad);
    }
    // Lists are paid for before their handles are looked at, here up to the name of the second.
    let given = ready().compute(2, &[("x0", 3), ("x1", 3)], 0, 0);
    trap(file, net, "a tensor that is given away twice", given, bad);
    let graph = ready().compute(2, &[("x0", 1)], 0, 0);
    trap(file, net, "a graph given away as a tensor", graph, bad);
    let used = ready()
        .compute(2, &[("x2", 3)], 0, 0)
        .drop("error", 3)
        .call(ty, &[3], 0, 0);
    trap(
        file,
        net,
        "a tensor that was given to an inference that failed",
        used,
        bad,
    );
}

pub(super) fn limits(file: &mut File, net: &Net) {
    let rule = "A call holds 1,024 resources at a time.";
    let many = |rounds| {
        let own = Calls::new().tensor(4, &[1], &[1], rounds);
        own.0.rounds(rounds)
    };
    let draft = with_sum("1,024 tensors at a time", rule, net).put("guest");
    let script = many(1_024);
    file.push(draft.call("guest", script.input(), script.returns(&[])));
    let draft = with_sum("1,025 tensors at a time", rule, net).put("guest");
    let script = many(1_025);
    file.push(draft.call(
        "guest",
        script.input(),
        script.traps(TrapCode::ResourceLimit),
    ));
    let draft = with_sum("3,000 tensors one after the other", rule, net).put("guest");
    let script = Calls::new()
        .tensor(4, &[1], &[1], 1)
        .drop("tensor", 1)
        .0
        .rounds(3_000);
    file.push(draft.call("guest", script.input(), script.returns(&[])));
    let rule = "Tensors hold no more bytes at a time than the schedule allows an inference.";
    let chain = chain_with(&[("nn/max_memory", json!(20))]);
    let two = Calls::new()
        .tensor(4, &[4], &[1; 16], 1)
        .tensor(4, &[4], &[1; 4], 2);
    for (name, own, code) in [
        ("all the bytes that tensors may have", two.clone(), None),
        (
            "a byte more than tensors may have",
            two.clone().tensor(4, &[1], &[1], 3),
            Some(TrapCode::ResourceLimit),
        ),
        (
            "bytes of a tensor that was dropped",
            two.drop("tensor", 1).tensor(4, &[16], &[1; 16], 1),
            None,
        ),
    ] {
        let claim: Claim = match code {
            None => own.0.returns(&[]),
            Some(code) => own.0.traps(code),
        };
        let draft = Draft::new(name, rule).chain(chain.clone()).put("guest");
        file.push(draft.call("guest", own.0.input(), claim));
    }
}
