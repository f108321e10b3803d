use crate::common::{Chain, RICH};

/// Inputs and logits of onnxruntime.
fn reference() -> (Vec<Vec<u8>>, Vec<Vec<i64>>) {
    let text = std::fs::read_to_string(crate::common::corpus().join("models/reference.json"))
        .expect("it is there");
    let json: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let part = |name| serde_json::from_value(json["credit"][name].clone());
    let inputs = part("inputs").expect("bytes");
    (
        inputs,
        serde_json::from_value(json["credit"]["logits"].clone()).expect("numbers"),
    )
}

fn class(logits: &[i64]) -> usize {
    let max = logits.iter().max().expect("three");
    logits.iter().position(|l| l == max).expect("it is there") + 1
}

/// An applicant of a class, as an argument.
fn applicant(wanted: usize) -> String {
    let (inputs, logits) = reference();
    let at = logits
        .iter()
        .position(|l| class(l) == wanted)
        .expect("each class occurs");
    format!("[{:?}]", inputs[at])
}

fn fresh() -> Chain {
    let mut c = Chain::new();
    c.register("models/credit-int8.onnx");
    c.deploy(
        "frank",
        "credit",
        "credit.synq",
        "CreditScorer",
        "100, 1000, 10000",
    );
    c.pay("frank", 50_000, "credit", "fund()").ok();
    c
}

#[test]
fn scores_are_those_of_onnxruntime() {
    let mut c = fresh();
    let (inputs, logits) = reference();
    assert_eq!(inputs.len(), 40);
    for (input, logits) in inputs.iter().zip(&logits) {
        let best = class(logits);
        let others = logits.iter().enumerate().filter(|(i, _)| i + 1 != best);
        let margin = logits[best - 1] - others.map(|o| o.1).max().expect("two");
        let done = c
            .view("credit", &format!("score([{input:?}])"))
            .returns(&format!("{best}, {margin}"));
        assert!(done.receipt.gas.inference > 0 && done.receipt.inferences.len() == 1);
    }
    let quoted = c.view("credit", "inferenceGas()").ok();
    assert_ne!(
        quoted.values[0].as_uint().expect("a number").0.to::<u64>(),
        0
    );
}

#[test]
fn a_good_loan() {
    let mut c = fresh();
    c.call("alice", "credit", &format!("apply_({})", applicant(3)))
        .returns("3");
    c.view("credit", "limitOf(@alice)").returns("10000");
    c.call("alice", "credit", "borrow(10001, 100)")
        .fails("AboveLimit(10001, 10000)");
    c.call("alice", "credit", "borrow(8000, 100)").ok();
    assert_eq!(c.balance("alice"), RICH + 8_000);
    c.call("alice", "credit", "borrow(1, 100)")
        .fails("one loan at a time");
    c.call("alice", "credit", &format!("apply_({})", applicant(3)))
        .fails("pay back first");
    c.pay("alice", 8241, "credit", "repay()")
        .fails("pay at most what is owed");
    c.pay("alice", 240, "credit", "repay()").returns("8000");
    c.pay("alice", 8000, "credit", "repay()")
        .returns("0")
        .logs(&["Repaid(@alice, 8000, 0)"]);
    c.view("credit", "limitOf(@alice)").returns("11000");
    c.view("credit", "lent()").returns("0");
    c.pay("alice", 1, "credit", "repay()").fails("no loan");
}

#[test]
fn a_bad_loan() {
    let mut c = fresh();
    c.call("bob", "credit", &format!("apply_({})", applicant(1)))
        .returns("1");
    c.view("credit", "members(1)").returns("[@bob]");
    c.call("bob", "credit", &format!("apply_({})", applicant(2)))
        .returns("2");
    c.view("credit", "members(1)").returns("[]");
    c.view("credit", "rated()").returns("1");
    c.call("bob", "credit", "borrow(1000, 10)").ok();
    c.call("frank", "credit", "writeOff(@bob)").fails("not due");
    c.wait(11);
    c.call("bob", "credit", "writeOff(@bob)").fails("bank only");
    c.call("frank", "credit", "writeOff(@bob)")
        .ok()
        .logs(&["Defaulted(@bob, 1070)"]);
    c.view("credit", "limitOf(@bob)").returns("0");
    c.call("bob", "credit", "borrow(1, 10)")
        .fails("AboveLimit(1, 0)");
}

#[test]
fn ratings_age() {
    let mut c = fresh();
    c.call("carol", "credit", "borrow(1, 10)")
        .fails("not rated");
    c.call("carol", "credit", &format!("apply_({})", applicant(3)))
        .ok();
    c.wait(90 * 24 * 3600 + 1);
    c.call("carol", "credit", "borrow(1, 10)")
        .fails(&format!("RatingTooOld({})", crate::common::GENESIS));
}

#[test]
fn a_chain_without_the_model_says_so() {
    let mut c = Chain::new();
    c.deploy(
        "frank",
        "credit",
        "credit.synq",
        "CreditScorer",
        "100, 1000, 10000",
    );
    let done = c.call("alice", "credit", &format!("apply_({})", applicant(3)));
    assert!(!done.receipt.status.is_success());
}
