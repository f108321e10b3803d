//! Expressions.

use alloy_primitives::U256;

use super::Emitter;
use crate::ir::visit::{Visit, walk_expr};
use crate::ir::{Builtin, Expr, Kind, Place, Type};
use crate::syntax::ast::BinaryOp;

impl Emitter<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> String {
        match &expr.kind {
            Kind::Const(value) => self.constant(*value, &expr.ty),
            Kind::Number(negative, magnitude) => {
                format!("{}{magnitude}", if *negative { "-" } else { "" })
            }
            Kind::Literal(bytes) => literal(bytes, &expr.ty),
            Kind::Read(place) => self.read(place),
            Kind::Slot(place) => self.place(place),
            Kind::Neg(inner, checked) => {
                let text = self.expr(inner);
                if *checked {
                    format!("(-{text})")
                } else {
                    let helper = self.unchecked_neg(&expr.ty);
                    format!("{helper}({text})")
                }
            }
            Kind::Not(inner) => format!("(!{})", self.expr(inner)),
            Kind::BitNot(inner) => format!("(~{})", self.expr(inner)),
            Kind::Arith(op, left, right, checked) => {
                let (l, r) = (self.expr(left), self.expr(right));
                self.arith(*op, &expr.ty, &right.ty, &l, &r, *checked)
            }
            Kind::Compare(op, left, right) => {
                let (l, r) = (self.expr(left), self.expr(right));
                let bytes = |text: &str, ty: &Type| match ty {
                    Type::String => format!("keccak256(bytes({text}))"),
                    ty if ty.is_bytes() => format!("keccak256({text})"),
                    _ => text.to_owned(),
                };
                let (l, r) = (bytes(&l, &left.ty), bytes(&r, &right.ty));
                format!("({l} {} {r})", op.text())
            }
            Kind::And(l, r) => format!("({} && {})", self.expr(l), self.expr(r)),
            Kind::Or(l, r) => format!("({} || {})", self.expr(l), self.expr(r)),
            Kind::Convert(inner) => {
                let text = self.expr(inner);
                self.convert(&text, &inner.ty, &expr.ty)
            }
            Kind::Copy(inner) => {
                let text = self.expr(inner);
                let helper = self.copy_helper(&expr.ty);
                format!("{helper}({text})")
            }
            Kind::Ternary(c, a, b) => {
                format!("({} ? {} : {})", self.expr(c), self.expr(a), self.expr(b))
            }
            Kind::Call(function, args) => {
                let args = self.list(args);
                format!("{}({args})", self.function_name(*function))
            }
            Kind::Builtin(builtin, args) => self.builtin(*builtin, args, expr),
            Kind::Aggregate(values) => self.aggregate(values, &expr.ty),
            Kind::New(length) => {
                let length = self.expr(length);
                let ty = self.ty(&expr.ty);
                format!("new {ty}({length})")
            }
            Kind::Assign(place, op, value) => self.assign(place, *op, value),
            Kind::Increment(place, decrement, prefix, checked) => {
                if *checked && !Self::is_byte(place) {
                    return self.plain_increment(place, *decrement, *prefix);
                }
                self.spelled_increment(place, *decrement, *prefix, *checked)
            }
            Kind::Tuple(values) => format!("({})", self.list(values)),
            Kind::Encode {
                selector,
                packed,
                args,
            } => {
                let list = self.list(args);
                let word = if *packed { "encodePacked" } else { "encode" };
                match selector {
                    Some(selector) => {
                        let selector = self.expr(selector);
                        let comma = if args.is_empty() { "" } else { ", " };
                        format!("abi.encodeWithSelector(bytes4({selector}){comma}{list})")
                    }
                    None => format!("abi.{word}({list})"),
                }
            }
            Kind::Decode(data) => {
                let data = self.expr(data);
                let ty = self.ty(&expr.ty);
                format!("abi.decode({data}, ({ty}))")
            }
            Kind::External {
                target,
                selector,
                args,
                value,
                gas,
                returns,
                readonly,
            } => {
                let target = self.expr(target);
                let comma = if args.is_empty() { "" } else { ", " };
                let args = self.list(args);
                let selector = alloy_primitives::hex::encode(selector);
                let data = format!("abi.encodeWithSelector(bytes4(0x{selector}){comma}{args})");
                let gas = gas
                    .as_ref()
                    .map_or("gasleft()".to_owned(), |g| self.expr(g));
                let call = if *readonly {
                    let helper = self.query_helper();
                    format!("{helper}({target}, {gas}, {data})")
                } else {
                    let value = value.as_ref().map_or("0".to_owned(), |v| self.expr(v));
                    let helper = self.call_helper();
                    format!("{helper}({target}, {value}, {gas}, {data})")
                };
                self.decoded(call, returns)
            }
            Kind::Extension {
                name,
                args,
                returns,
                view,
            } => {
                let args = self.list(args);
                let helper = match view {
                    true => self.precompile("extensionView", 0xA107),
                    false => self.precompile_call("extension", 0xA107),
                };
                let call = format!("{helper}(abi.encode({name:?}, abi.encode({args})))");
                self.decoded(call, returns)
            }
            Kind::Infer(model, args) => {
                let hash = self.model_hash(*model);
                let args = self.list(args);
                let helper = self.precompile("infer", 0xA105);
                let call = format!("{helper}(abi.encode({hash}, abi.encode({args})))");
                let outputs = self.contract.models.get(*model);
                let returns: Vec<Type> = outputs
                    .map(|m| m.outputs.iter().map(|t| t.ty.clone()).collect())
                    .unwrap_or_default();
                self.decoded(call, &returns)
            }
            Kind::Length(place) => self.length(place),
            Kind::Push(place, value) => {
                if !place.storage && does_something(place) {
                    self.refuse(
                        expr.span,
                        "`push` onto a list in memory that is found by a call",
                    );
                }
                self.push(place, value.as_deref())
            }
            Kind::Pop(place) => {
                let text = self.place(place);
                if place.storage {
                    format!("{text}.pop()")
                } else {
                    let helper = self.pop_helper();
                    let pointer = self.as_pointer(&place.ty);
                    format!("{helper}({pointer}({text}))")
                }
            }
            Kind::IsNull(place) => {
                let helper = self.null_helper(&place.ty);
                format!("{helper}({})", self.place(place))
            }
            Kind::Error => {
                self.refuse(expr.span, "an expression with an error");
                String::new()
            }
        }
    }

    fn decoded(&mut self, call: String, returns: &[Type]) -> String {
        if returns.is_empty() {
            return call;
        }
        let types: Vec<String> = returns.iter().map(|t| self.ty(t)).collect();
        format!("abi.decode({call}, ({}))", types.join(", "))
    }

    fn model_hash(&self, model: usize) -> String {
        let hash = self.contract.models.get(model).map(|m| m.hash);
        let hash = alloy_primitives::hex::encode(hash.unwrap_or_default());
        format!("bytes32(0x{hash})")
    }

    fn constant(&mut self, value: U256, ty: &Type) -> String {
        match ty {
            Type::Bool => (!value.is_zero()).to_string(),
            Type::UInt(bits) => format!("uint{bits}({value})"),
            Type::Int(bits) => {
                if value.bit(255) {
                    format!("int{bits}(-{})", value.wrapping_neg())
                } else {
                    format!("int{bits}({value})")
                }
            }
            Type::Address | Type::Contract(_) => format!("address(uint160({value}))"),
            Type::Bytes32 => format!("bytes32(0x{value:064x})"),
            Type::Enum(_) => format!("{}({value})", self.ty(ty)),
            _ => value.to_string(),
        }
    }

    pub(super) fn arith(
        &mut self,
        op: BinaryOp,
        ty: &Type,
        right_ty: &Type,
        l: &str,
        r: &str,
        checked: bool,
    ) -> String {
        if *ty == Type::Bool {
            let helper = self.bool_helper(op);
            return format!("{helper}({l}, {r})");
        }
        let wraps = matches!(
            op,
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Pow | BinaryOp::Div
        );
        if wraps && !checked {
            let helper = self.unchecked_helper(op, ty, right_ty);
            return format!("{helper}({l}, {r})");
        }
        format!("({l} {} {r})", op.text())
    }

    fn convert(&mut self, text: &str, from: &Type, to: &Type) -> String {
        match (from, to) {
            (Type::UInt(a), Type::Int(b)) if a != b => format!("int{b}(uint{b}({text}))"),
            (Type::Int(a), Type::UInt(b)) if a != b => format!("uint{b}(int{b}({text}))"),
            (Type::UInt(_) | Type::Int(_), Type::UInt(b)) => format!("uint{b}({text})"),
            (Type::UInt(_) | Type::Int(_), Type::Int(b)) => format!("int{b}({text})"),
            (Type::UInt(_), Type::Address | Type::Contract(_)) => {
                format!("address(uint160({text}))")
            }
            (Type::Address | Type::Contract(_), Type::UInt(b)) => {
                format!("uint{b}(uint160({text}))")
            }
            (Type::UInt(_), Type::Bytes32) => format!("bytes32(uint256({text}))"),
            (Type::Bytes32, Type::UInt(b)) => format!("uint{b}(uint256({text}))"),
            (Type::Address | Type::Contract(_), Type::Bytes32) => {
                format!("bytes32(uint256(uint160({text})))")
            }
            (Type::Bytes32, Type::Address | Type::Contract(_)) => {
                format!("address(uint160(uint256({text})))")
            }
            (Type::Enum(_), Type::UInt(b)) => format!("uint{b}({text})"),
            (Type::UInt(_), Type::Enum(_)) => format!("{}({text})", self.ty(to)),
            (Type::Bool, Type::UInt(b)) => format!("({text} ? uint{b}(1) : uint{b}(0))"),
            (a, Type::Bytes | Type::Pq(_)) if a.is_value() => format!("abi.encodePacked({text})"),
            (Type::Bytes | Type::Pq(_), Type::Bytes32) => format!("bytes32({text})"),
            (Type::String, Type::Bytes | Type::Pq(_)) => format!("bytes({text})"),
            (Type::Bytes | Type::Pq(_), Type::String) => format!("string({text})"),
            _ => text.to_owned(),
        }
    }

    fn aggregate(&mut self, values: &[Expr], ty: &Type) -> String {
        let list = self.list(values);
        match ty {
            Type::Struct(_) => format!("{}({list})", self.ty(ty)),
            Type::List(element) => {
                if values.is_empty() {
                    return format!("new {}(0)", self.ty(ty));
                }
                let helper = self.list_helper(element, values.len());
                format!("{helper}([{list}])")
            }
            _ => format!("[{list}]"),
        }
    }

    fn assign(&mut self, place: &Place, op: Option<(BinaryOp, bool)>, value: &Expr) -> String {
        let target = self.place(place);
        let text = self.expr(value);
        if Self::is_byte(place) {
            let text = match op {
                None => text,
                Some((op, checked)) => {
                    let current = format!("uint8({target})");
                    self.arith(op, &Type::UInt(8), &value.ty, &current, &text, checked)
                }
            };
            return format!("{target} = bytes1({text})");
        }
        match op {
            None => format!("{target} = {text}"),
            Some((op, _)) if place.ty == Type::Bool => {
                let text = self.arith(op, &Type::Bool, &Type::Bool, &target, &text, false);
                format!("{target} = {text}")
            }
            Some((BinaryOp::Pow, _)) => format!("{target} = {target} ** {text}"),
            Some((op, _)) => format!("{target} {}= {text}", op.text()),
        }
    }

    /// `++x` and its like. What they check is what stands around them.
    pub(super) fn plain_increment(
        &mut self,
        place: &Place,
        decrement: bool,
        prefix: bool,
    ) -> String {
        let op = if decrement { "--" } else { "++" };
        let text = self.place(place);
        if prefix {
            format!("{op}{text}")
        } else {
            format!("{text}{op}")
        }
    }

    /// The same as an assignment: for bytes, which have no `++`, and without a check in the
    /// middle of an expression, where `unchecked` cannot stand.
    pub(super) fn spelled_increment(
        &mut self,
        place: &Place,
        decrement: bool,
        prefix: bool,
        checked: bool,
    ) -> String {
        let (op, back) = if decrement {
            (BinaryOp::Sub, BinaryOp::Add)
        } else {
            (BinaryOp::Add, BinaryOp::Sub)
        };
        let (target, ty) = (self.place(place), &place.ty);
        let next = if Self::is_byte(place) {
            let next = self.arith(op, ty, ty, &format!("uint8({target})"), "1", checked);
            format!("uint8({target} = bytes1({next}))")
        } else {
            let next = self.arith(op, ty, ty, &target, "1", checked);
            format!("({target} = {next})")
        };
        if prefix {
            next
        } else {
            self.arith(back, ty, ty, &next, "1", false)
        }
    }

    fn push(&mut self, place: &Place, value: Option<&Expr>) -> String {
        let text = self.place(place);
        let value_text = value.map(|v| self.expr(v));
        if place.storage {
            return match (value_text, &place.ty) {
                (None, _) => format!("{text}.push()"),
                (Some(value), Type::Bytes) => format!("{text}.push(bytes1({value}))"),
                (Some(value), _) => format!("{text}.push({value})"),
            };
        }
        match (value_text, &place.ty) {
            (Some(value), Type::Bytes) => {
                format!("{text} = bytes.concat({text}, bytes1({value}))")
            }
            (value, Type::List(element)) => {
                let helper = self.append_helper(element, value.is_some());
                match value {
                    Some(value) => format!("{text} = {helper}({text}, {value})"),
                    None => format!("{text} = {helper}({text})"),
                }
            }
            _ => String::new(),
        }
    }

    fn builtin(&mut self, builtin: Builtin, args: &[Expr], whole: &Expr) -> String {
        let list = self.list(args);
        match builtin {
            Builtin::Sender => "msg.sender".into(),
            Builtin::Value => "msg.value".into(),
            Builtin::Origin => "tx.origin".into(),
            Builtin::This => "address(this)".into(),
            Builtin::BlockNumber => "block.number".into(),
            Builtin::Timestamp => "block.timestamp".into(),
            Builtin::ChainId => "block.chainid".into(),
            Builtin::GasLeft => "gasleft()".into(),
            Builtin::MessageData => "msg.data".into(),
            Builtin::Balance => format!("{list}.balance"),
            Builtin::Keccak => format!("keccak256({list})"),
            Builtin::Sha256 => format!("sha256({list})"),
            Builtin::Sha3 => self.pure_hash("sha3_256", 0xA103, &list),
            Builtin::Blake3 => self.pure_hash("blake3", 0xA104, &list),
            Builtin::Concat if whole.ty == Type::String => format!("string.concat({list})"),
            Builtin::Concat => format!("bytes.concat({list})"),
            Builtin::AddMod => format!("addmod({list})"),
            Builtin::MulMod => format!("mulmod({list})"),
            Builtin::Send => format!("{}({list})", self.send_helper()),
            Builtin::TrySend => format!("{}({list})", self.try_send_helper()),
            Builtin::CallContract => {
                let helper = self.call_helper();
                let parts: Vec<String> = args.iter().map(|a| self.expr(a)).collect();
                match parts.as_slice() {
                    [target, value, data] => {
                        format!("{helper}({target}, {value}, gasleft(), {data})")
                    }
                    _ => String::new(),
                }
            }
            Builtin::StaticCall => {
                let helper = self.query_helper();
                let parts: Vec<String> = args.iter().map(|a| self.expr(a)).collect();
                match parts.as_slice() {
                    [target, data] => format!("{helper}({target}, gasleft(), {data})"),
                    _ => String::new(),
                }
            }
            Builtin::Decapsulate(kem) => {
                let helper = self.precompile("decapsulate", 0xA102);
                format!("abi.decode({helper}(abi.encode(uint8({kem}), {list})), (bytes))")
            }
            Builtin::Verify(scheme) => {
                let helper = self.precompile("verify", 0xA101);
                format!("abi.decode({helper}(abi.encode(uint8({scheme}), {list})), (bool))")
            }
            Builtin::ArgMax => {
                let ty = args.first().map_or(Type::Error, |a| a.ty.clone());
                let helper = self.argmax_helper(&ty);
                format!("{helper}({list})")
            }
            Builtin::ModelGas(model) => {
                let hash = self.model_hash(model);
                let helper = self.precompile("quote", 0xA106);
                format!("abi.decode({helper}(abi.encode({hash})), (uint256))")
            }
            Builtin::ModelHash(model) => self.model_hash(model),
            // Nothing runs behind these on the EVM.
            Builtin::AllowReentrancy | Builtin::Debug => list,
        }
    }
}

/// Tells whether finding a place may do more than read, so that it must be found once only.
fn does_something(place: &Place) -> bool {
    struct Find(bool);
    impl Visit for Find {
        fn expr(&mut self, e: &mut Expr) {
            self.0 |= matches!(
                e.kind,
                Kind::Call(..)
                    | Kind::Increment(..)
                    | Kind::External { .. }
                    | Kind::Extension { .. }
            );
            walk_expr(self, e);
        }
    }
    let mut find = Find(false);
    find.place(&mut place.clone());
    find.0
}

/// Bytes as a literal of the type.
pub(super) fn literal(bytes: &[u8], ty: &Type) -> String {
    let word = if *ty == Type::String {
        "string"
    } else {
        "bytes"
    };
    format!("{word}({})", quoted(bytes))
}

/// Bytes as a literal without a type.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let plain = bytes
        .iter()
        .all(|b| (b.is_ascii_graphic() || *b == b' ') && *b != b'"' && *b != b'\\');
    if plain {
        format!("\"{}\"", String::from_utf8_lossy(bytes))
    } else {
        format!("hex\"{}\"", alloy_primitives::hex::encode(bytes))
    }
}
