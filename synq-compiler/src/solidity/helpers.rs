//! Internal functions that the text needs: made once for each type.

use super::Emitter;
use crate::ir::Type;
use crate::syntax::ast::BinaryOp;

impl Emitter<'_> {
    fn helper(&mut self, name: String, text: impl FnOnce(&str) -> String) -> String {
        if !self.helpers.contains_key(&name) {
            let text = text(&name);
            let lines: String = text.lines().map(|l| format!("    {l}\n")).collect();
            self.helpers.insert(name.clone(), lines);
        }
        name
    }

    /// A copy in memory of what lies in state.
    pub(super) fn load_helper(&mut self, ty: &Type) -> String {
        let (text, mark) = (self.ty(ty), self.mark(ty));
        self.helper(format!("_load_{mark}"), |n| {
            format!("function {n}({text} memory v) internal pure returns ({text} memory) {{ return v; }}")
        })
    }

    /// A deep copy of a value in memory.
    pub(super) fn copy_helper(&mut self, ty: &Type) -> String {
        let (text, mark) = (self.ty(ty), self.mark(ty));
        self.helper(format!("_copy_{mark}"), |n| {
            format!("function {n}({text} memory v) internal pure returns ({text} memory) {{ return abi.decode(abi.encode(v), ({text})); }}")
        })
    }

    pub(super) fn unchecked_neg(&mut self, ty: &Type) -> String {
        let text = self.ty(ty);
        self.helper(format!("_wrapNeg_{text}"), |n| {
            format!("function {n}({text} a) internal pure returns ({text}) {{ unchecked {{ return -a; }} }}")
        })
    }

    pub(super) fn unchecked_helper(&mut self, op: BinaryOp, ty: &Type, right: &Type) -> String {
        let (text, right) = (self.ty(ty), self.ty(right));
        let word = match op {
            BinaryOp::Add => "Add",
            BinaryOp::Sub => "Sub",
            BinaryOp::Mul => "Mul",
            BinaryOp::Pow => "Pow",
            _ => "Div",
        };
        let op = op.text();
        self.helper(format!("_wrap{word}_{text}_{right}"), |n| {
            format!("function {n}({text} a, {right} b) internal pure returns ({text}) {{ unchecked {{ return a {op} b; }} }}")
        })
    }

    /// Both sides run.
    pub(super) fn bool_helper(&mut self, op: BinaryOp) -> String {
        let (word, op) = match op {
            BinaryOp::BitAnd => ("And", "&&"),
            BinaryOp::BitOr => ("Or", "||"),
            _ => ("Xor", "!="),
        };
        self.helper(format!("_bool{word}"), |n| {
            format!(
                "function {n}(bool a, bool b) internal pure returns (bool) {{ return a {op} b; }}"
            )
        })
    }

    pub(super) fn call_helper(&mut self) -> String {
        self.helper("_call".into(), |n| {
            format!(
                "function {n}(address target, uint256 value, uint256 gasLimit, bytes memory data) internal returns (bytes memory) {{
    if (target.code.length == 0) revert();
    (bool ok, bytes memory result) = target.call{{value: value, gas: gasLimit}}(data);
    if (!ok) {{ assembly {{ revert(add(result, 32), mload(result)) }} }}
    return result;
}}"
            )
        })
    }

    pub(super) fn query_helper(&mut self) -> String {
        self.helper("_query".into(), |n| {
            format!(
                "function {n}(address target, uint256 gasLimit, bytes memory data) internal view returns (bytes memory) {{
    if (target.code.length == 0) revert();
    (bool ok, bytes memory result) = target.staticcall{{gas: gasLimit}}(data);
    if (!ok) {{ assembly {{ revert(add(result, 32), mload(result)) }} }}
    return result;
}}"
            )
        })
    }

    /// A precompile that changes nothing.
    pub(super) fn precompile(&mut self, name: &str, address: u32) -> String {
        self.helper(format!("_{name}"), |n| {
            format!(
                "function {n}(bytes memory data) internal view returns (bytes memory) {{
    (bool ok, bytes memory result) = address({address:#x}).staticcall(data);
    if (!ok) {{ assembly {{ revert(add(result, 32), mload(result)) }} }}
    return result;
}}"
            )
        })
    }

    /// A precompile that may change something.
    pub(super) fn precompile_call(&mut self, name: &str, address: u32) -> String {
        self.helper(format!("_{name}"), |n| {
            format!(
                "function {n}(bytes memory data) internal returns (bytes memory) {{
    (bool ok, bytes memory result) = address({address:#x}).call(data);
    if (!ok) {{ assembly {{ revert(add(result, 32), mload(result)) }} }}
    return result;
}}"
            )
        })
    }

    /// A hash by a precompile. It depends on its input alone, which solc cannot know.
    pub(super) fn pure_hash(&mut self, name: &str, address: u32, list: &str) -> String {
        let inner = self.precompile(name, address);
        let helper = self.helper(format!("_{name}Pure"), |n| {
            format!(
                "function {n}(bytes memory data) internal pure returns (bytes32) {{
    function(bytes memory) internal view returns (bytes memory) f = {inner};
    function(bytes memory) internal pure returns (bytes memory) g;
    assembly {{ g := f }}
    return abi.decode(g(data), (bytes32));
}}"
            )
        });
        format!("{helper}({list})")
    }

    pub(super) fn send_helper(&mut self) -> String {
        let inner = self.try_send_helper();
        self.helper("_send".into(), |n| {
            format!(
                "function {n}(address to, uint256 amount) internal {{
    if (!{inner}(to, amount)) revert();
}}"
            )
        })
    }

    /// Value moves without running the receiver's code. To a contract it goes by way of one
    /// that lives for a moment: `PUSH20 to SELFDESTRUCT`.
    pub(super) fn try_send_helper(&mut self) -> String {
        self.helper("_trySend".into(), |n| {
            format!(
                "function {n}(address to, uint256 amount) internal returns (bool ok) {{
    if (to.code.length == 0 && uint160(to) > 0xffff) {{
        (ok, ) = to.call{{value: amount, gas: 0}}(\"\");
    }} else {{
        bytes memory code = abi.encodePacked(hex\"73\", to, hex\"ff\");
        assembly {{ ok := iszero(iszero(create(amount, add(code, 32), mload(code)))) }}
    }}
}}"
            )
        })
    }

    pub(super) fn panic_helper(&mut self) -> String {
        self.helper("_panic".into(), |n| {
            format!(
                "function {n}(uint256 code) internal pure {{
    bytes memory data = abi.encodeWithSelector(bytes4(0x4e487b71), code);
    assembly {{ revert(add(data, 32), mload(data)) }}
}}"
            )
        })
    }

    pub(super) fn list_helper(&mut self, element: &Type, length: usize) -> String {
        let located = self.located(element, false);
        let (text, mark) = (self.ty(element), self.mark(element));
        let _ = located;
        self.helper(format!("_list_{mark}_{length}"), |n| {
            format!(
                "function {n}({text}[{length}] memory a) internal pure returns ({text}[] memory v) {{
    v = new {text}[]({length});
    for (uint256 i = 0; i < {length}; ++i) v[i] = a[i];
}}"
            )
        })
    }

    pub(super) fn append_helper(&mut self, element: &Type, valued: bool) -> String {
        let located = self.located(element, false);
        let (text, mark) = (self.ty(element), self.mark(element));
        let (param, set, word) = if valued {
            (format!(", {located} x"), " v[a.length] = x;", "push")
        } else {
            (String::new(), "", "grow")
        };
        self.helper(format!("_{word}_{mark}"), |n| {
            format!(
                "function {n}({text}[] memory a{param}) internal pure returns ({text}[] memory v) {{
    v = new {text}[](a.length + 1);
    for (uint256 i = 0; i < a.length; ++i) v[i] = a[i];
   {set}
}}"
            )
        })
    }

    /// Takes the last element off an array in memory.
    pub(super) fn pop_helper(&mut self) -> String {
        let panic = self.panic_helper();
        self.helper("_pop".into(), |n| {
            format!(
                "function {n}(uint256 a) internal pure {{
    uint256 length;
    assembly {{ length := mload(a) }}
    if (length == 0) {panic}(0x31);
    assembly {{ mstore(a, sub(length, 1)) }}
}}"
            )
        })
    }

    pub(super) fn as_pointer(&mut self, ty: &Type) -> String {
        let (text, mark) = (self.ty(ty), self.mark(ty));
        self.helper(format!("_pointer_{mark}"), |n| {
            format!("function {n}({text} memory v) internal pure returns (uint256 p) {{ assembly {{ p := v }} }}")
        })
    }

    /// Tells whether everything at a place in state is zero.
    pub(super) fn null_helper(&mut self, ty: &Type) -> String {
        let (text, mark) = (self.ty(ty), self.mark(ty));
        let name = format!("_isNull_{mark}");
        if self.helpers.contains_key(&name) {
            return name;
        }
        let located = if ty.is_value() {
            text
        } else {
            format!("{text} storage")
        };
        let body = match ty {
            Type::Struct(id) => {
                let fields = self.world.structs.get(*id).map(|s| s.fields.clone());
                let mut parts = Vec::new();
                for (field, ty) in fields.unwrap_or_default() {
                    if matches!(ty, Type::Mapping(..)) {
                        continue;
                    }
                    let helper = self.null_helper(&ty);
                    parts.push(format!("{helper}(v.{})", super::identifier(&field)));
                }
                format!("return {};", parts.join(" && "))
            }
            Type::Array(element, n) => {
                let helper = self.null_helper(element);
                format!(
                    "for (uint256 i = 0; i < {n}; ++i) if (!{helper}(v[i])) return false; return true;"
                )
            }
            Type::List(_) | Type::Bytes | Type::Pq(_) => "return v.length == 0;".to_owned(),
            Type::String => "return bytes(v).length == 0;".to_owned(),
            Type::Bool => "return !v;".to_owned(),
            Type::Address | Type::Contract(_) => "return v == address(0);".to_owned(),
            Type::Bytes32 => "return v == bytes32(0);".to_owned(),
            Type::Enum(_) => "return uint256(v) == 0;".to_owned(),
            _ => "return v == 0;".to_owned(),
        };
        let word = if ty.is_value() { "pure" } else { "view" };
        self.helper(name, |n| {
            format!("function {n}({located} v) internal {word} returns (bool) {{ {body} }}")
        })
    }

    /// Clears what a storage reference stands for.
    pub(super) fn delete_helper(&mut self, ty: &Type) -> String {
        let (text, mark) = (self.ty(ty), self.mark(ty));
        let body = match ty {
            Type::Struct(id) => {
                let fields = self.world.structs.get(*id).map(|s| s.fields.clone());
                let list: Vec<String> = fields
                    .unwrap_or_default()
                    .iter()
                    .filter(|(_, t)| !matches!(t, Type::Mapping(..)))
                    .map(|(f, _)| format!("delete v.{};", super::identifier(f)))
                    .collect();
                list.join(" ")
            }
            Type::List(_) => "while (v.length != 0) v.pop();".to_owned(),
            _ => "for (uint256 i = 0; i < v.length; ++i) delete v[i];".to_owned(),
        };
        self.helper(format!("_delete_{mark}"), |n| {
            format!("function {n}({text} storage v) internal {{ {body} }}")
        })
    }

    /// Index of the first largest element.
    pub(super) fn argmax_helper(&mut self, ty: &Type) -> String {
        let (text, mark) = (self.ty(ty), self.mark(ty));
        let panic = self.panic_helper();
        self.helper(format!("_argmax_{mark}"), |n| {
            format!(
                "function {n}({text} memory v) internal pure returns (uint256 best) {{
    if (v.length == 0) {panic}(0x32);
    for (uint256 i = 1; i < v.length; ++i) if (v[i] > v[best]) best = i;
}}"
            )
        })
    }
}
