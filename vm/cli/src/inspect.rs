//! `aivm inspect`.

use std::path::Path;

use aivm::inspect::{ModuleFunction, SourceMap};
use aivm::{MemoryHost, Vm, code_hash};
use aivm_abi::TranscriptFile;
use aivm_gas::{GasSchedule, InstrumentError, instrument};
use serde_json::json;

use crate::args::InspectArgs;
use crate::error::CliError;
use crate::output;
use crate::world::read;

/// Functions shown, the largest first; all of them are in the JSON.
const FUNCTIONS: usize = 20;

/// Shows a module or a transcript; false for a module that is no contract.
pub fn inspect(args: &InspectArgs, json: bool) -> Result<bool, CliError> {
    let bytes = read(&args.file)?;
    if bytes.starts_with(b"\0asm") {
        return module(&args.file, &bytes, json);
    }
    let transcript = TranscriptFile::parse(&bytes).map_err(|source| CliError::Unknown {
        path: args.file.clone(),
        source,
    })?;
    if json {
        let frames: Vec<_> = transcript
            .entries()
            .iter()
            .map(|entry| {
                json!({
                    "kind": format!("{:?}", entry.kind).to_lowercase(),
                    "function": entry.func.key(),
                    "payload": format!("0x{}", hex::encode(entry.payload)),
                })
            })
            .collect();
        output::print(&json!({
            "hash": transcript.hash.to_string(),
            "frames": transcript.count,
            "verified": transcript.verify(),
            "entries": frames,
        }));
    } else {
        println!(
            "transcript {} of {} frames",
            transcript.hash, transcript.count
        );
        match transcript.verify() {
            Some(true) => println!("the frames have this hash"),
            Some(false) => println!("the frames do NOT have this hash"),
            None => println!("not all frames were kept"),
        }
        for (n, entry) in transcript.entries().iter().enumerate() {
            let kind = format!("{:?}", entry.kind).to_lowercase();
            println!(
                "{n:>6} {kind:<8} {:<24} 0x{}",
                entry.func.key(),
                hex::encode(entry.payload)
            );
        }
    }
    Ok(transcript.verify() != Some(false))
}

fn module(path: &Path, wasm: &[u8], json: bool) -> Result<bool, CliError> {
    let refused = |source: InstrumentError| CliError::Module {
        path: path.to_owned(),
        source: Box::new(aivm::Error::from(source)),
    };
    let schedule = GasSchedule::v1();
    let instrumented = instrument(wasm, &schedule).map_err(refused)?;
    let stats = instrumented.stats;
    let map = SourceMap::new(wasm, &schedule).map_err(refused)?;
    let vm = Vm::builder().build()?;
    let refusal = vm.upload(&mut MemoryHost::new(), wasm).err();
    if json {
        output::print(&json!({
            "code": hex::encode(code_hash(wasm)),
            "contract": refusal.is_none(),
            "reason": refusal.as_ref().map(ToString::to_string),
            "upload_gas": instrumented.upload_gas,
            "bytes": stats.guest_bytes,
            "instrumented_bytes": stats.bytes,
            "functions": stats.functions,
            "locals": stats.locals,
            "blocks": stats.blocks,
            "largest_frame_words": stats.largest_frame,
            "initial_pages": stats.initial_pages,
            "function_bodies": map.module_functions().map(|function| json!({
                "index": function.index,
                "name": function.name,
                "bytes": function.bytes,
                "line": function.line.map(|line| line.to_string()),
            })).collect::<Vec<_>>(),
            "notes": map.notes(),
        }));
    } else {
        println!("code         {}", hex::encode(code_hash(wasm)));
        match &refusal {
            None => println!("contract     yes"),
            Some(reason) => println!("contract     no: {reason}"),
        }
        println!("upload gas   {}", instrumented.upload_gas);
        println!(
            "bytes        {}, instrumented {}",
            stats.guest_bytes, stats.bytes
        );
        println!("functions    {}", stats.functions);
        println!("locals       {}", stats.locals);
        println!("blocks       {}", stats.blocks);
        println!("frame        {} words at most", stats.largest_frame);
        println!("memory       {} pages at the start", stats.initial_pages);
        for note in map.notes() {
            println!("note         {note}");
        }
        let mut functions: Vec<ModuleFunction<'_>> = map.module_functions().collect();
        functions.sort_by_key(|function| (std::cmp::Reverse(function.bytes), function.index));
        if !functions.is_empty() {
            println!("\nlargest functions{:>45}", "bytes");
        }
        for function in functions.iter().take(FUNCTIONS) {
            println!("  {:<50} {:>9}", function.to_string(), function.bytes);
        }
        if let Some(more @ 1..) = functions.len().checked_sub(FUNCTIONS) {
            println!("  and {more} more, which --json shows");
        }
    }
    Ok(refusal.is_none())
}
