//! The whole machine: modules, calls of host functions, files of the cache, source lines, conformance vectors.

use std::path::PathBuf;
use std::sync::LazyLock;

use aivm::inspect::{CodePlace, SourceMap};
use aivm::{
    Address, BlockContext, Call, Deploy, DiskCache, Error, GasSchedule, MemoryHost, Receipt, Vm,
    Word,
};
use aivm_abi::{CoreType, EXPORTS, IMPORTS, LINES_SECTION, LineTable};
use aivm_conformance::vector as vectors;
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataSection, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, ImportSection, MemorySection, MemoryType, Module, Section,
    TypeSection, ValType,
};

use crate::bytes::Bytes;

const ALICE: Address = Address([0xa1; 20]);
const COUNTER: &[u8] = include_bytes!("../seeds/module/counter.wasm");
/// Selector of `increment()`.
const INCREMENT: [u8; 4] = [0xd0, 0x9d, 0xe0, 0x8a];

static VM: LazyLock<Vm> = LazyLock::new(|| Vm::builder().build().unwrap());

/// The receipt, unless the request was refused. Whatever else happens is the machine's own failure.
fn receipt(outcome: Result<Receipt, Error>) -> Option<Receipt> {
    match outcome {
        Ok(receipt) => {
            let bytes = receipt.to_canonical_bytes();
            assert_eq!(Receipt::from_canonical_bytes(&bytes).as_ref(), Ok(&receipt));
            Some(receipt)
        }
        Err(error) => {
            assert!(error.is_refusal(), "{error}");
            None
        }
    }
}

/// Uploads, deploys, calls and queries.
fn play(vm: &Vm, wasm: &[u8], value: u64) -> Vec<Option<Receipt>> {
    let mut host = MemoryHost::new();
    host.set_block(BlockContext::new(7, 100).with_timestamp(1_700_000_000));
    host.set_balance(ALICE, Word::from(1_000_000u64));
    let code = match vm.upload(&mut host, wasm) {
        Ok(uploaded) => uploaded.code,
        Err(error) => {
            assert!(error.is_refusal(), "{error}");
            return Vec::new();
        }
    };
    let deploy = Deploy::new(ALICE, code, []).with_gas_limit(10_000_000);
    let to = deploy.address();
    let deployed = receipt(
        vm.deploy(&mut host, &deploy)
            .map(|deployed| deployed.receipt),
    );
    let call = Call::new(ALICE, to, INCREMENT)
        .with_value(Word::from(value))
        .with_gas_limit(10_000_000);
    let called = receipt(vm.call(&mut host, &call));
    let queried = receipt(vm.query(&host, &call.with_value(Word::ZERO)));
    vec![deployed, called, queried]
}

/// Plays twice: the second time with compiled code and instances that were used before.
fn same_twice(wasm: &[u8], value: u64) {
    assert_eq!(play(&VM, wasm, value), play(&VM, wasm, value));
}

/// Any bytes are a contract that runs, the same each time, or refused.
pub fn upload(data: &[u8]) {
    same_twice(data, 0);
}

fn types(list: &[CoreType]) -> Vec<ValType> {
    list.iter()
        .map(|ty| match ty {
            CoreType::I32 => ValType::I32,
            CoreType::I64 => ValType::I64,
            CoreType::F32 => ValType::F32,
            CoreType::F64 => ValType::F64,
        })
        .collect()
}

/// A guest that calls host functions with any arguments, over any memory, with any allocator.
///
/// Three bytes say how the allocator answers; then come calls, each a function and its arguments, up to a byte of
/// 255; the rest is the memory.
pub fn host_calls(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (allocator, at) = (bytes.u8(), bytes.u16());
    let (mut type_section, mut imports) = (TypeSection::new(), ImportSection::new());
    let mut body = Function::new([]);
    let mut called = 0;
    while called < 12 {
        let number = usize::from(bytes.u8());
        if number == 255 || bytes.0.is_empty() {
            break;
        }
        let import = &IMPORTS[number % IMPORTS.len()];
        type_section
            .ty()
            .function(types(import.params), types(import.results));
        imports.import(import.module, import.function, EntityType::Function(called));
        let mut code = body.instructions();
        for ty in import.params {
            // A byte is most often a pointer or a length; some say that more follows.
            let small = bytes.u8();
            let wide = match small {
                255 => u64::MAX,
                254 => bytes.u64(),
                253 => u64::from(bytes.u16()),
                252 => 0xffff_fff0 + u64::from(bytes.u8() % 16),
                _ => u64::from(small) * 4,
            };
            match ty {
                CoreType::I32 => code.i32_const(wide as i32),
                CoreType::I64 => code.i64_const(wide as i64),
                CoreType::F32 => code.f32_const(f32::from_bits(wide as u32).into()),
                CoreType::F64 => code.f64_const(f64::from_bits(wide).into()),
            };
        }
        code.call(called);
        for _ in import.results {
            code.drop();
        }
        called += 1;
    }
    // The result of every export: `ok` with no bytes, from memory that is zero.
    body.instructions().i32_const(0xf000).end();

    let (mut functions, mut exports, mut code) = (
        FunctionSection::new(),
        ExportSection::new(),
        CodeSection::new(),
    );
    exports.export("memory", ExportKind::Memory, 0);
    for (index, export) in EXPORTS.iter().enumerate() {
        let index = called + index as u32;
        type_section
            .ty()
            .function(types(export.params), types(export.results));
        functions.function(index);
        exports.export(export.name, ExportKind::Func, index);
        if export.name == "construct" || export.results != [CoreType::I32] {
            let mut nothing = Function::new([]);
            for ty in export.results {
                assert_eq!(*ty, CoreType::I32, "{}", export.name);
                nothing.instructions().i32_const(0xf000);
            }
            nothing.instructions().end();
            code.function(&nothing);
        } else {
            code.function(&body);
        }
    }
    let realloc = called + EXPORTS.len() as u32;
    type_section
        .ty()
        .function([ValType::I32; 4], [ValType::I32]);
    functions.function(realloc);
    exports.export("cabi_realloc", ExportKind::Func, realloc);
    let mut answer = Function::new([]);
    match allocator % 4 {
        0 => answer.instructions().i32_const(i32::from(at)).end(),
        1 => answer.instructions().local_get(0).end(),
        2 => answer
            .instructions()
            .i32_const(-1)
            .i32_const(at.into())
            .i32_sub()
            .end(),
        // Aligned and far from everything else, the same place each time.
        _ => answer
            .instructions()
            .i32_const(0x8000 + i32::from(at & 0xff8))
            .end(),
    };
    code.function(&answer);

    let (mut memory, mut segments) = (MemorySection::new(), DataSection::new());
    memory.memory(MemoryType {
        minimum: 1,
        maximum: Some(1),
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let kept = bytes.take(0x8000);
    segments.active(0, &ConstExpr::i32_const(0), kept.iter().copied());
    let mut module = Module::new();
    module
        .section(&type_section)
        .section(&imports)
        .section(&functions)
        .section(&memory)
        .section(&exports)
        .section(&code)
        .section(&segments);
    let wasm = module.finish();
    same_twice(&wasm, 3);
}

/// A folder with the file of one compiled contract.
struct Cache {
    folder: tempfile::TempDir,
    file: PathBuf,
    content: Vec<u8>,
    expected: Vec<Option<Receipt>>,
}

impl Cache {
    fn vm(folder: &std::path::Path) -> Vm {
        let disk = DiskCache::open(folder, b"secret").unwrap();
        Vm::builder().disk_cache(disk).build().unwrap()
    }
}

static CACHE: LazyLock<Cache> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let expected = play(&Cache::vm(folder.path()), COUNTER, 0);
    // It is deployed and called; as a query it may not write.
    let called = expected.iter().take(2).flatten();
    assert_eq!(
        called.filter(|receipt| receipt.status.is_success()).count(),
        2
    );
    let file = std::fs::read_dir(folder.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let content = std::fs::read(&file).unwrap();
    Cache {
        folder,
        file,
        content,
        expected,
    }
});

/// A file of compiled code with some bytes at a place that three bytes name: it is taken as it was written, or made anew.
/// Nothing else changes.
pub fn artifact(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (place, cut) = (usize::from(bytes.u16()), bytes.u8());
    let mut content = CACHE.content.clone();
    let at = place % content.len();
    let end = (at + bytes.0.len()).min(content.len());
    content.splice(at..end, bytes.0.iter().copied());
    if cut > 250 {
        content.truncate(at);
    }
    std::fs::write(&CACHE.file, &content).unwrap();
    let vm = Cache::vm(CACHE.folder.path());
    assert_eq!(play(&vm, COUNTER, 0), CACHE.expected);
    let stats = vm.cache_stats();
    let genuine = content == CACHE.content;
    assert_eq!(
        (stats.disk_hits, stats.rejected),
        (genuine.into(), (!genuine).into())
    );
}

/// Any bytes as the sections for source lines and for names: read, or left out, and every place can be asked for.
pub fn lines(data: &[u8]) {
    if let Ok(table) = LineTable::decode(data) {
        let again = table.encode();
        assert_eq!(LineTable::decode(&again).unwrap().encode(), again);
        let _ = (table.lookup(0), table.lookup(u32::MAX), table.files());
    }
    let mut wasm = COUNTER.to_vec();
    for name in [LINES_SECTION, "name"] {
        let section = CustomSection {
            name: name.into(),
            data: data.into(),
        };
        section.append_to(&mut wasm);
    }
    let map = SourceMap::new(&wasm, &GasSchedule::v1()).unwrap();
    assert!(map.notes().len() <= 8);
    for offset in (0..4096).step_by(41).chain([u32::MAX]) {
        let place = CodePlace {
            function: offset % 64,
            offset,
        };
        let _ = (map.locate(place).to_string(), map.line(&[place]));
    }
}

/// Any bytes are a file of conformance vectors, the same when written again, or refused.
pub fn vector(data: &[u8]) {
    let Ok(file) = serde_json::from_slice::<vectors::VectorFile>(data) else {
        return;
    };
    let json = serde_json::to_string(&file).unwrap();
    let again: vectors::VectorFile = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), json);
    let _ = file.schema == vectors::SCHEMA;
}
