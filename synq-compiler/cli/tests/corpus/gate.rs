use crate::common::Chain;

const PROSE: &str =
    "The house by the river was old, and the boy who lived there went to school each day.";
const NOISE: &str = "7f3a99c04be1d2f8a60b5c7e9d1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b";

fn fresh(high: i64, low: i64) -> Chain {
    let mut c = Chain::new();
    c.register("models/gate-int8.onnx");
    c.deploy(
        "frank",
        "gate",
        "gate.synq",
        "ContentGate",
        &format!("{high}, {low}"),
    );
    c.deploy("frank", "points", "gate.synq", "AuthorPoints", "@gate");
    c.call("frank", "gate", "follow(@points)").ok();
    c
}

#[test]
fn the_network_tells_prose_from_noise() {
    let mut c = fresh(0, -1);
    // The histogram is the one that the model was trained on.
    let text = std::fs::read_to_string(crate::common::corpus().join("models/reference.json"))
        .expect("it is there");
    assert!(text.contains("\"gate\""));
    c.view("gate", "histogram(\"aa b\")")
        .returns("[[63, 0, 0, 0, 127, 0, 0, 0, 0, 63, 0, 0, 0, 0, 0, 0]]");
    let margin = |c: &mut Chain, text: &str| {
        let done = c.view("gate", &format!("confidence(\"{text}\")")).ok();
        done.values[0].as_int().expect("a number").0.as_i64()
    };
    assert!(margin(&mut c, PROSE) > 0);
    assert!(margin(&mut c, NOISE) < 0);
}

#[test]
fn prose_is_printed_and_noise_refused() {
    let mut c = fresh(0, -1);
    let done = c.call("alice", "gate", &format!("post(\"{PROSE}\")")).ok();
    assert_eq!(done.values[0].as_uint().expect("a number").0.to::<u64>(), 0);
    assert_eq!(done.values[1].as_uint().expect("a number").0.to::<u64>(), 1);
    c.view("points", "points(@alice)").returns("10");
    c.view("gate", "standing(@alice)").returns("1");
    c.call("bob", "gate", &format!("post(\"{PROSE}\")"))
        .fails("Duplicate(0)");
    for (i, standing) in [-1, -2, -3].iter().enumerate() {
        c.call("bob", "gate", &format!("post(\"{NOISE}{i}\")")).ok();
        c.view("gate", "standing(@bob)")
            .returns(&standing.to_string());
    }
    c.call("bob", "gate", &format!("post(\"{PROSE}!\")"))
        .fails("NoStanding(@bob, -3)");
    c.view("gate", "postsBy(@bob)").returns("[1, 2, 3]");
    c.view("points", "points(@bob)").returns("0");
    c.call("alice", "gate", "post(\"short\")")
        .fails("too short");
    c.call(
        "alice",
        "gate",
        &format!("post(\"{}\")", "long ".repeat(206)),
    )
    .fails("too long");
}

#[test]
fn moderators_decide_the_rest() {
    // Thresholds that leave everything in doubt.
    let mut c = fresh(2_000_000_000, -2_000_000_000);
    for i in 0..3 {
        c.call("alice", "gate", &format!("post(\"{PROSE}{i}\")"))
            .ok();
    }
    c.view("gate", "queue()").returns("[0, 1, 2]");
    c.call("bob", "gate", "moderate(0, true)")
        .fails("moderators only");
    c.call("frank", "gate", "setModerator(@bob, true)").ok();
    c.call("bob", "gate", "moderate(0, true)")
        .ok()
        .logs(&["Moderated(0, @bob, 1)"]);
    c.view("gate", "queue()").returns("[2, 1]");
    c.view("points", "points(@alice)").returns("10");
    c.call("bob", "gate", "moderate(0, false)")
        .fails("decided already");
    c.call("bob", "gate", "moderate(3, false)")
        .fails("no such post");
    c.call("frank", "points", "setMuted(true)").ok();
    c.call("bob", "gate", "moderate(2, true)")
        .ok()
        .logs(&["FollowerFailed(@points, 2)", "Moderated(2, @bob, 1)"]);
    c.view("gate", "standing(@alice)").returns("2");
    c.call("bob", "gate", "retract(1)").fails("not yours");
    c.call("alice", "gate", "retract(1)").ok();
    c.view("gate", "queue()").returns("[]");
    c.call("carol", "gate", &format!("post(\"{PROSE}1\")")).ok();
    c.call("frank", "points", "onPost(@frank, 1)")
        .fails("gate only");
    c.call("alice", "gate", "follow(@alice)")
        .fails("chief only");
}
