//! Pointers and values that the interfaces of networks must not take.

use aivm::TrapCode;

use super::super::draft::*;
use super::super::script::{OUT, Script};
use super::{component, ephemeral, ints, sum, with_sum};

/// A call that traps at a pointer, after lists of `bytes` bytes were paid for.
type Bad<'a> = (&'a str, &'a str, Vec<u32>, u64, TrapCode);

const END: u32 = 131_072;
const FAR: u32 = u32::MAX;

pub fn old(file: &mut File) {
    let mut script = Script::new(ephemeral::FUNCTIONS);
    let name = script.put(b"sum");
    let data = script.put(&ints(&[1, 2, 3, 4]));
    let shape = script.put(&4u32.to_le_bytes());
    let mut record = |words: [u32; 5]| script.put(&words.map(u32::to_le_bytes).concat());
    let tensors = [
        ([shape + 1, 1, 4, data, 16], 0),
        ([FAR - 3, 1, 4, data, 16], 0),
        ([shape, 0x4000_0000, 4, data, 16], 0),
        ([shape, 1, 4, FAR, 16], 4),
        ([shape, 1, 4, END - 15, 16], 4),
        ([shape, 1, 4, data, 0x7fff_ffff], 4),
    ]
    .map(|(words, bytes)| (record(words), bytes));
    let good = record([shape, 1, 4, data, 16]);
    let part = record([data, 16, FAR, 1, 0]);
    let pointer = TrapCode::BadPointer;
    let mut cases: Vec<Bad<'_>> = vec![
        (
            "a name out of memory",
            "load_by_name",
            vec![END - 2, 3, OUT],
            0,
            pointer,
        ),
        (
            "a name as long as memory",
            "load_by_name",
            vec![name, FAR, OUT],
            0,
            pointer,
        ),
        (
            "a place for the graph out of memory",
            "load_by_name",
            vec![name, 3, END - 3],
            3,
            pointer,
        ),
        (
            "a place for the graph in between",
            "load_by_name",
            vec![name, 3, OUT + 2],
            3,
            pointer,
        ),
        (
            "a list of parts in between",
            "load",
            vec![part + 1, 1, 1, 0, OUT],
            0,
            pointer,
        ),
        (
            "a list of parts without end",
            "load",
            vec![part, 0x2000_0000, 1, 0, OUT],
            0,
            pointer,
        ),
        (
            "a part out of memory",
            "load",
            vec![part + 8, 1, 1, 0, OUT],
            8,
            pointer,
        ),
        (
            "a place for a loaded graph out of memory",
            "load",
            vec![part, 1, 1, 0, FAR],
            24,
            pointer,
        ),
        (
            "a place for the context in between",
            "init_execution_context",
            vec![0, OUT + 1],
            0,
            pointer,
        ),
        (
            "a place for the context out of memory",
            "init_execution_context",
            vec![0, END],
            0,
            pointer,
        ),
        (
            "a tensor in between",
            "set_input",
            vec![0, 0, good + 2],
            0,
            pointer,
        ),
        (
            "a tensor out of memory",
            "set_input",
            vec![0, 0, END - 16],
            0,
            pointer,
        ),
        (
            "a buffer that ends out of memory",
            "get_output",
            vec![0, 0, END - 15, 16, OUT],
            0,
            pointer,
        ),
        (
            "a buffer as long as memory",
            "get_output",
            vec![0, 0, OUT, FAR, OUT],
            0,
            pointer,
        ),
        (
            "a place for the length in between",
            "get_output",
            vec![0, 0, OUT, 16, OUT + 17],
            0,
            pointer,
        ),
        (
            "a place for the length out of memory",
            "get_output",
            vec![0, 0, OUT, 16, END - 2],
            0,
            pointer,
        ),
    ];
    let names = [
        "dimensions in between",
        "dimensions out of memory",
        "dimensions without end",
        "data out of memory",
        "data that end out of memory",
        "data without end",
    ];
    for (name, (tensor, bytes)) in names.into_iter().zip(tensors) {
        cases.push((name, "set_input", vec![0, 0, tensor], bytes, pointer));
    }
    for (name, function, arguments, bytes, code) in cases {
        let key = format!("wasi_ephemeral_nn.{function}");
        let script = script.clone().call(&key, &arguments, bytes, 0);
        file.push(
            with_sum(
                format!("wasi_ephemeral_nn: {name}"),
                "Pointers are checked before the host works, those to places for results too, whatever the other arguments are.",
                &sum(),
            )
            .put("old")
            .call("old", script.input(), script.traps(code)),
        );
    }
}

pub fn new(file: &mut File) {
    let mut script = Script::new(component::FUNCTIONS);
    let model = script.put(b"sum");
    let data = script.put(&ints(&[1, 2, 3, 4]));
    let mut words = |words: &[u32]| {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        script.put(&bytes)
    };
    let shape = words(&[4]);
    let far = words(&[FAR, 2, 1]);
    let text = words(&[u32::from_le_bytes(*b"\xff\xfe\xfd\xfc")]);
    let bad_text = words(&[text, 4, 1]);
    let pointer = TrapCode::BadPointer;
    let argument = TrapCode::BadArgument;
    let tensor = "tensor.[constructor]tensor";
    let compute = "inference.[method]graph-execution-context.compute";
    let code = "errors.[method]error.data";
    let cases = [
        (
            "a name out of memory",
            "graph.load-by-name",
            vec![END - 2, 3, OUT],
            0,
            pointer,
        ),
        (
            "a name that is no text",
            "graph.load-by-name",
            vec![text, 4, OUT],
            4,
            argument,
        ),
        (
            "a place for the graph in between",
            "graph.load-by-name",
            vec![model, 3, OUT + 2],
            3,
            pointer,
        ),
        (
            "a place for the graph out of memory",
            "graph.load-by-name",
            vec![model, 3, END - 7],
            3,
            pointer,
        ),
        (
            "an encoding that there is not",
            "graph.load",
            vec![far, 0, 7, 0, OUT],
            0,
            argument,
        ),
        (
            "a target that there is not",
            "graph.load",
            vec![far, 0, 1, 3, OUT],
            0,
            argument,
        ),
        (
            "a part out of memory",
            "graph.load",
            vec![far, 1, 1, 0, OUT],
            8,
            pointer,
        ),
        (
            "dimensions in between",
            tensor,
            vec![shape + 2, 1, 4, data, 16],
            0,
            pointer,
        ),
        (
            "dimensions without end",
            tensor,
            vec![shape, FAR, 4, data, 16],
            0,
            pointer,
        ),
        (
            "a type that there is not",
            tensor,
            vec![shape, 1, 7, data, 16],
            4,
            argument,
        ),
        (
            "data out of memory",
            tensor,
            vec![shape, 1, 4, END - 15, 16],
            4,
            pointer,
        ),
        (
            "data as long as memory",
            tensor,
            vec![shape, 1, 4, data, FAR],
            4,
            pointer,
        ),
        (
            "inputs in between",
            compute,
            vec![2, shape + 2, 1, OUT],
            0,
            pointer,
        ),
        (
            "inputs without end",
            compute,
            vec![2, shape, 0x1000_0000, OUT],
            0,
            pointer,
        ),
        (
            "a name of an input out of memory",
            compute,
            vec![2, far, 1, OUT],
            12,
            pointer,
        ),
        (
            "a name of an input that is no text",
            compute,
            vec![2, bad_text, 1, OUT],
            16,
            argument,
        ),
        (
            "a place for outputs in between",
            compute,
            vec![2, shape, 0, OUT + 2],
            0,
            pointer,
        ),
        (
            "a place for outputs out of memory",
            compute,
            vec![2, shape, 0, END - 11],
            0,
            pointer,
        ),
        (
            "a place for a sentence out of memory",
            code,
            vec![3, END - 7],
            0,
            pointer,
        ),
    ];
    for (name, function, arguments, bytes, code) in cases {
        // Graph 1, context 2, and error 3 are there.
        let script = script
            .clone()
            .call("wasi:nn.graph.load-by-name", &[model, 3, OUT], 3, 0)
            .call(
                "wasi:nn.graph.[method]graph.init-execution-context",
                &[1, OUT],
                0,
                0,
            )
            .call("wasi:nn.graph.load-by-name", &[shape, 0, OUT], 0, 0);
        let key = format!("wasi:nn.{function}");
        let script = script.call(&key, &arguments, bytes, 0);
        file.push(
            with_sum(
                format!("wasi:nn: {name}"),
                "Pointers and values are checked before the host works.",
                &sum(),
            )
            .put("new")
            .call("new", script.input(), script.traps(code)),
        );
    }
}
