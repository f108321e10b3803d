//! `aivm profile`.

use std::collections::BTreeMap;

use aivm::inspect::{
    CallNode, CallTree, FailurePlace, FoldedStacks, HostProfile, LineProfile, flame_graph_svg, fold,
};
use serde_json::{Value, json};

use crate::args::ProfileArgs;
use crate::error::CliError;
use crate::output;
use crate::world::{World, check_writable, on, write};

/// Lines and opcodes shown, the most expensive first; all of them are in the JSON.
const LINES: usize = 20;

/// Profiles the last call after running the others.
pub fn profile(args: &ProfileArgs, json: bool) -> Result<bool, CliError> {
    for path in [&args.folded, &args.svg].into_iter().flatten() {
        check_writable(path, &args.run.inputs())?;
    }
    let mut world = World::new(&args.run)?;
    let Some((request, before)) = world.calls.split_last() else {
        return Err(CliError::NoCall("profile"));
    };
    for earlier in before {
        on!(&mut world.chain, host => world.vm.call(host.as_mut(), &earlier.call))?;
    }
    let (call, function) = (&request.call, request.function.as_ref());
    let (_, opcodes) = on!(&world.chain, host => world.vm.count_opcodes(host.as_ref(), call))?;
    let (mut tree, mut flame, mut hosts) = (
        CallTree::new(),
        FoldedStacks::with_places(),
        HostProfile::new(),
    );
    let (mut lines, mut place) = (LineProfile::new(), FailurePlace::new());
    let mut stacks = (&mut flame, &mut hosts);
    let mut places = (&mut lines, &mut place);
    let mut both = (&mut stacks, &mut places);
    let mut inspector = (&mut tree, &mut both);
    let receipt = on!(
        &mut world.chain,
        host => world.vm.call_inspected(host.as_mut(), call, &mut inspector)
    )?;
    let mut maps = BTreeMap::new();
    for code in flame.codes() {
        maps.insert(code, world.source_map(&code)?);
    }
    let flame = flame.stacks_with(|code, place| {
        let located = maps.get(code).map(|map| map.locate(place).to_string());
        // Blanks end a stack for some tools.
        located.map(|text| text.replace(' ', "_"))
    });
    if let Some(path) = &args.folded {
        write(path, fold(&flame).as_bytes())?;
    }
    if let Some(path) = &args.svg {
        write(path, flame_graph_svg(&flame).as_bytes())?;
    }
    let functions: BTreeMap<&str, Value> = hosts
        .functions()
        .iter()
        .map(|(name, stats)| (*name, json!({ "calls": stats.calls, "gas": stats.gas })))
        .collect();
    let at = world.places(&place)?;
    let mut by_line: Vec<(String, u64)> = Vec::new();
    for code in lines.codes() {
        by_line.extend(lines.lines(&code, &world.source_map(&code)?));
    }
    by_line.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    // The ABI is that of one contract.
    let name = |node: &CallNode| {
        let selector = node.selector.filter(|_| node.contract == world.contract)?;
        let function = world.abi.as_ref()?.function_by_selector(selector.into())?;
        Some(function.signature())
    };
    if json {
        let roots: Vec<Value> = tree.roots().iter().map(|root| node(root, &name)).collect();
        output::print(&json!({
            "calls": roots,
            "host_functions": functions,
            "opcodes": opcodes
                .opcodes()
                .iter()
                .map(|(name, stats)| {
                    (name.as_str(), json!({ "executed": stats.executed, "gas": stats.gas }))
                })
                .collect::<BTreeMap<&str, Value>>(),
            "lines": by_line.iter().map(|(line, gas)| json!({ "line": line, "gas": gas })).collect::<Vec<_>>(),
            "at": at,
            "stacks": flame,
            "result": output::receipt_json(&receipt, function, world.abi.as_ref()),
        }));
        return Ok(receipt.status.is_success());
    }
    output::receipt_text(&receipt, function, world.abi.as_ref());
    for line in at {
        println!("at        {line}");
    }
    println!("\ncalls");
    for root in tree.roots() {
        print_node(root, 1, &name);
    }
    println!("\nhost functions{:>26} {:>14}", "calls", "gas");
    for (name, stats) in hosts.functions() {
        println!("  {name:<30} {:>7} {:>14}", stats.calls, stats.gas);
    }
    let mut by_gas: Vec<_> = opcodes.opcodes().iter().collect();
    by_gas.sort_by_key(|(_, stats)| std::cmp::Reverse((stats.gas, stats.executed)));
    println!("\nopcodes{:>32} {:>14}", "executed", "gas");
    for (name, stats) in by_gas.iter().take(LINES) {
        println!("  {name:<27} {:>10} {:>14}", stats.executed, stats.gas);
    }
    println!("\nlines{:>49}", "gas");
    for (line, gas) in by_line.iter().take(LINES) {
        println!("  {line:<38} {gas:>14}");
    }
    Ok(receipt.status.is_success())
}

/// Signature of the function that a call is of, where it is known.
type Name<'a> = dyn Fn(&CallNode) -> Option<String> + 'a;

fn node(node: &CallNode, name: &Name<'_>) -> Value {
    let calls = node.calls.iter().map(|call| self::node(call, name));
    json!({
        "contract": node.contract.to_string(),
        "entry": node.entry,
        "selector": node.selector.map(|s| format!("0x{}", hex::encode(s))),
        "function": name(node),
        "gas": node.gas,
        "gas_used": node.gas_used,
        "status": node.status.map(|s| s.to_string()),
        "calls": calls.collect::<Vec<_>>(),
    })
}

fn print_node(node: &CallNode, depth: usize, name: &Name<'_>) {
    let selector = || node.selector.map(|s| format!("0x{}", hex::encode(s)));
    println!(
        "{:indent$}{} {} {} used {} of {}: {}",
        "",
        node.contract,
        node.entry,
        name(node)
            .or_else(selector)
            .unwrap_or_else(|| "-".to_owned()),
        node.gas_used,
        node.gas,
        node.status.map(|s| s.to_string()).unwrap_or_default(),
        indent = 2 * depth
    );
    for call in &node.calls {
        print_node(call, depth + 1, name);
    }
}
