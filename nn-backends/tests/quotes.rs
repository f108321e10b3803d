//! What a quote counts, by hand: multiply-accumulates, and what odd shapes waste beside them.

mod common;

use aivm_gas::NnPrices;
use aivm_nn::{Counts, Model, ModelLimits};
use common::random::{int, ints};
use common::{FLOAT, Graph, I64, Message, U8, node, tensor, value};

/// The operation of a graph of one node, whose first two inputs are not constant.
fn counts(
    op: &str,
    inputs: &[(i64, &[i64])],
    constants: Vec<Message>,
    attributes: Vec<Message>,
) -> Counts {
    let names = ["a", "b", "c", "d"];
    let given = inputs.iter().zip(names);
    let all = &names[..inputs.len() + constants.len()];
    let node = attributes
        .into_iter()
        .fold(node(op, all, &["y"]), |node, attribute| {
            node.bytes(5, attribute)
        });
    let graph = Graph {
        nodes: vec![node],
        initializers: constants,
        inputs: given
            .map(|((ty, dims), name)| value(name, *ty, dims))
            .collect(),
        outputs: vec![Message::default().bytes(1, "y")],
    };
    let model = Model::from_onnx(&graph.model_of(13), &ModelLimits::default()).unwrap();
    let schedule = aivm_gas::GasSchedule::v1();
    let quote = model.quote(&schedule.nn);
    let [cost] = &quote.per_op[..] else {
        panic!("{:?}", quote.per_op);
    };
    assert_eq!(cost.milligas, price(&cost.counts, &schedule.nn));
    assert_eq!(
        quote.gas,
        schedule.nn.infer_base + (cost.milligas + quote.border_milligas).div_ceil(1000)
    );
    assert_eq!(quote.macs, cost.counts.mac_int8 + cost.counts.mac_f32);
    cost.counts
}

fn price(c: &Counts, p: &NnPrices) -> u64 {
    p.node_base * 1000
        + (c.mac_int8 + c.idle_int8) * p.mac_int8_milligas
        + (c.mac_f32 + c.idle_f32) * p.mac_f32_milligas
        + c.element_int * p.element_int_milligas
        + c.requantize * p.requantize_milligas
        + c.element_f32 * p.element_f32_milligas
        + c.divide_f32 * p.divide_f32_milligas
        + c.transcendental_f32 * p.transcendental_f32_milligas
        + c.moved * p.byte_moved_milligas
        + c.memory * p.byte_memory_milligas
}

#[test]
fn products_that_fill_vectors_waste_nothing() {
    let c = counts(
        "MatMulInteger",
        &[(U8, &[6, 30]), (U8, &[30, 16])],
        vec![],
        vec![],
    );
    assert_eq!(
        (c.mac_int8, c.idle_int8, c.element_int, c.memory),
        (6 * 30 * 16, 0, 96, 384)
    );
    let c = counts(
        "MatMul",
        &[(FLOAT, &[9, 30]), (FLOAT, &[30, 8])],
        vec![],
        vec![],
    );
    assert_eq!((c.mac_f32, c.idle_f32, c.element_f32), (9 * 30 * 8, 0, 0));
    let c = counts(
        "ConvInteger",
        &[(U8, &[1, 3, 10, 10]), (U8, &[16, 3, 3, 3])],
        vec![],
        vec![],
    );
    assert_eq!(
        (c.mac_int8, c.idle_int8, c.element_int),
        (16 * 64 * 27, 0, 1024)
    );
    let c = counts(
        "Conv",
        &[(FLOAT, &[1, 3, 10, 10]), (FLOAT, &[1, 3, 3, 3])],
        vec![],
        vec![],
    );
    assert_eq!((c.mac_f32, c.idle_f32, c.element_f32), (64 * 27, 0, 64));
}

#[test]
fn narrow_products_are_paid_as_if_they_were_wide() {
    // One row counts as four, one column as sixteen.
    let c = counts(
        "MatMulInteger",
        &[(U8, &[1, 30]), (U8, &[30, 1])],
        vec![],
        vec![],
    );
    assert_eq!((c.mac_int8, c.mac_int8 + c.idle_int8), (30, 4 * 30 * 16));
    let c = counts(
        "MatMul",
        &[(FLOAT, &[8, 30]), (FLOAT, &[30, 1])],
        vec![],
        vec![],
    );
    assert_eq!((c.mac_f32, c.mac_f32 + c.idle_f32), (240, 8 * 30 * 32));
    let c = counts(
        "MatMul",
        &[(FLOAT, &[9, 30]), (FLOAT, &[30, 1])],
        vec![],
        vec![],
    );
    assert_eq!((c.mac_f32, c.mac_f32 + c.idle_f32), (270, 9 * 30 * 8));
}

#[test]
fn each_product_of_its_own_is_paid_for() {
    let c = counts(
        "MatMulInteger",
        &[(U8, &[5, 2, 1, 7]), (U8, &[5, 2, 7, 1])],
        vec![],
        vec![],
    );
    assert_eq!((c.mac_int8, c.idle_int8), (70, 10 * 4 * 7 * 16 - 70));
    assert_eq!(c.element_int, 10 + 9 * 128);
    // Eight channels of their own, twice.
    let group = vec![int("group", 8)];
    let c = counts(
        "ConvInteger",
        &[(U8, &[2, 8, 3, 3]), (U8, &[8, 1, 1, 1])],
        vec![],
        group,
    );
    assert_eq!((c.mac_int8, c.idle_int8), (144, 144 * 15));
    assert_eq!(c.element_int, 144 + 15 * 128);
    let rows = counts(
        "Softmax",
        &[(FLOAT, &[50, 2])],
        vec![],
        vec![int("axis", -1)],
    );
    assert_eq!(rows.element_f32, 300 + 50 * 128);
}

#[test]
fn taps_far_apart_are_paid_one_by_one() {
    let far = || vec![ints("dilations", &[1, 1000])];
    let c = counts(
        "ConvInteger",
        &[(U8, &[1, 1, 200, 1001]), (U8, &[2, 1, 1, 2])],
        vec![],
        far(),
    );
    assert_eq!(
        (c.mac_int8, c.idle_int8, c.element_int),
        (800, 800 * 159, 400 * 20)
    );
    let c = counts(
        "Conv",
        &[(FLOAT, &[1, 1, 200, 1001]), (FLOAT, &[2, 1, 1, 2])],
        vec![],
        far(),
    );
    assert_eq!(
        (c.mac_f32, c.idle_f32, c.element_f32),
        (800, 800 * 15, 400 * 20)
    );
    let kernel = |dilations| vec![ints("kernel_shape", &[1, 2]), ints("dilations", dilations)];
    let far = counts(
        "MaxPool",
        &[(U8, &[1, 1, 200, 1001])],
        vec![],
        kernel(&[1, 1000]),
    );
    assert_eq!(far.element_int, 400 * 80);
    let near = counts(
        "MaxPool",
        &[(U8, &[1, 1, 200, 1001])],
        vec![],
        kernel(&[1, 10]),
    );
    assert_eq!(near.element_int, 200 * 991 * 2);
}

#[test]
fn small_pieces_are_paid_for() {
    let c = counts(
        "Concat",
        &[(U8, &[30, 1]), (U8, &[30, 2])],
        vec![],
        vec![int("axis", 1)],
    );
    assert_eq!((c.moved, c.element_int), (90, 30 * 2 * 5));
    let c = counts("Gather", &[(U8, &[100]), (I64, &[60])], vec![], vec![]);
    assert_eq!((c.moved, c.element_int), (60, 60 * 8));
    let pads = tensor(
        "b",
        I64,
        &[4],
        &[0i64, 0, 0, 9].map(i64::to_le_bytes).concat(),
    );
    let c = counts("Pad", &[(U8, &[10, 1])], vec![pads], vec![]);
    assert_eq!(c.moved, 300);
    let wide = counts(
        "Add",
        &[(FLOAT, &[2, 1, 2, 1, 2]), (FLOAT, &[1, 2, 1, 2, 1])],
        vec![],
        vec![],
    );
    assert_eq!(wide.element_f32, 32 * 4);
    let plain = counts(
        "Add",
        &[(FLOAT, &[2, 2, 2, 2, 2]), (FLOAT, &[2, 2, 2, 2, 2])],
        vec![],
        vec![],
    );
    assert_eq!(plain.element_f32, 32);
    let bias = counts(
        "Add",
        &[(FLOAT, &[1, 4, 2, 2]), (FLOAT, &[1, 4, 1, 1])],
        vec![],
        vec![],
    );
    assert_eq!(bias.element_f32, 16);
}
