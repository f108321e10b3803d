//! The whole host interface as guests see it. A difference here means that contracts which
//! were compiled before the change may not run after it: bump the WIT package version.

use std::fmt::Write as _;

use aivm_abi::{Area, CoreType, EXPORTS, IMPORTS, WIT_PACKAGE};

fn list(types: &[CoreType]) -> String {
    let names: Vec<String> = types.iter().map(CoreType::to_string).collect();
    names.join(" ")
}

fn area(name: &str, area: Option<Area>) -> String {
    area.map_or(String::new(), |area| {
        format!(" {name}={}/{}", area.size, area.align)
    })
}

#[test]
fn interface_is_unchanged() {
    let mut text = format!("{WIT_PACKAGE}\n");
    for import in IMPORTS {
        let _ = writeln!(
            text,
            "import {:3} {} {} ({}) -> ({}){}{}",
            import.id.get(),
            import.module,
            import.wit,
            list(import.params),
            list(import.results),
            area("params", import.params_area),
            area("return", import.return_area),
        );
    }
    for export in EXPORTS {
        let _ = writeln!(
            text,
            "export {} ({}) -> ({}){} then {}",
            export.wit,
            list(export.params),
            list(export.results),
            area("return", export.return_area),
            export.post_return.unwrap_or("nothing"),
        );
    }
    insta::assert_snapshot!(text);
}

#[test]
fn table_is_sorted_and_numbered() {
    for (index, import) in IMPORTS.iter().enumerate() {
        assert_eq!(import.id.index(), index);
        assert_eq!(
            import.key,
            format!("{}.{}", import.interface, import.function)
        );
        assert_eq!(import.id.key(), import.key);
        assert!(
            !import.docs.is_empty(),
            "{} has no documentation",
            import.key
        );
        assert_eq!(
            aivm_abi::import(import.interface, import.function),
            Some(import)
        );
        assert_eq!(
            aivm_abi::import_by_module(import.module, import.function),
            Some(import)
        );
    }
    assert!(IMPORTS.is_sorted_by_key(|import| (import.interface, import.function)));
    assert_eq!(aivm_abi::import("storage", "burn"), None);
    assert_eq!(
        aivm_abi::export("call").map(|export| export.post_return),
        Some(Some("cabi_post_call"))
    );
}
