//! Random programs that mostly compile: declarations, statements and expressions, by type.

/// Numbers from bytes or from a seed (SplitMix64).
pub struct Source {
    state: u64,
    bytes: Vec<u8>,
}

impl Source {
    pub fn seeded(seed: u64) -> Self {
        Self {
            state: seed,
            bytes: Vec::new(),
        }
    }

    /// Bytes first, then a generator that they seed.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut bytes = bytes.to_vec();
        bytes.reverse();
        let state = bytes
            .iter()
            .fold(7_u64, |s, b| s.wrapping_mul(31).wrapping_add(u64::from(*b)));
        Self { state, bytes }
    }

    pub fn below(&mut self, n: usize) -> usize {
        let value = match self.bytes.pop() {
            Some(byte) => u64::from(byte),
            None => {
                self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = self.state;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                z ^ (z >> 31)
            }
        };
        (value % n.max(1) as u64) as usize
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ty {
    U256,
    U8,
    I64,
    Bool,
    Address,
    Text,
    List,
}

const ALL: [Ty; 7] = [
    Ty::U256,
    Ty::U8,
    Ty::I64,
    Ty::Bool,
    Ty::Address,
    Ty::Text,
    Ty::List,
];

impl Ty {
    fn name(self) -> &'static str {
        match self {
            Self::U256 => "UInt256",
            Self::U8 => "UInt8",
            Self::I64 => "Int64",
            Self::Bool => "Bool",
            Self::Address => "Address",
            Self::Text => "String",
            Self::List => "UInt256[]",
        }
    }
}

struct Program<'s> {
    source: &'s mut Source,
    out: String,
    /// State variables and locals in reach.
    names: Vec<(String, Ty, bool)>,
    functions: Vec<(String, Vec<Ty>, Option<Ty>)>,
    count: usize,
    loops: usize,
}

/// A program of about `size` statements.
pub fn program(source: &mut Source, size: usize) -> String {
    let mut p = Program {
        source,
        out: String::from("pragma synq ^1.0.0;\n"),
        names: Vec::new(),
        functions: Vec::new(),
        count: 0,
        loops: 0,
    };
    p.contract(size);
    p.out
}

impl Program<'_> {
    fn text(&mut self, text: &str) {
        self.out.push_str(text);
        // Layout means nothing.
        let gap = self
            .source
            .pick(&["", "", "", " ", "\n", "  ", " /* c */ ", " // c\n"]);
        self.out.push_str(gap);
    }

    fn fresh(&mut self, prefix: &str) -> String {
        self.count += 1;
        format!("{prefix}{}", self.count)
    }

    fn ty(&mut self) -> Ty {
        ALL[self.source.below(ALL.len())]
    }

    fn contract(&mut self, size: usize) {
        self.text("contract C {");
        self.text("struct Point { x: UInt256; y: Bool; }\n");
        self.text("enum Mode { Off, On, Auto }\n");
        self.text("event Said(Address indexed who, UInt256 what);");
        self.text("error Wrong(UInt256 a, Bool b);");
        self.text("mapping(Address => UInt256) sums;");
        self.text("mapping(UInt256 => Point) points;");
        self.text("Mode mode;");
        self.text("modifier guarded(UInt256 n) { require(n < 1000000, \"big\"); _; }");
        for _ in 0..2 + self.source.below(5) {
            let (ty, name) = (self.ty(), self.fresh("s"));
            let public = self.source.pick(&["", " public"]);
            if self.source.chance(50) {
                self.text(&format!("{name}: {}{public};", ty.name()));
            } else {
                self.text(&format!("{}{public} {name};", ty.name()));
            }
            self.names.push((name, ty, true));
        }
        let globals = self.names.len();
        let count = 1 + self.source.below(5);
        for _ in 0..count {
            self.function(size / count + 1);
            self.names.truncate(globals);
        }
        self.text("}");
    }

    fn function(&mut self, size: usize) {
        let name = self.fresh("f");
        let mut params = Vec::new();
        for _ in 0..self.source.below(4) {
            let (ty, name) = (self.ty(), self.fresh("p"));
            params.push(ty);
            self.names.push((name, ty, true));
        }
        let first = self.names.len() - params.len();
        let list: Vec<String> = self.names[first..]
            .iter()
            .map(|(name, ty, _)| match self.source.below(2) {
                0 => format!("{} {name}", ty.name()),
                _ => format!("{name}: {}", ty.name()),
            })
            .collect();
        let returns = self.source.chance(60).then(|| self.ty());
        let modifier = if self.source.chance(20) {
            " guarded(7)"
        } else {
            ""
        };
        let result = match (returns, self.source.below(2)) {
            (None, _) => String::new(),
            (Some(ty), 0) => format!(" -> {}", ty.name()),
            (Some(ty), _) => format!(" returns ({})", ty.name()),
        };
        let word = self
            .source
            .pick(&["public", "internal", "external", "private"]);
        self.text(&format!(
            "function {name}({}) {word}{modifier}{result} {{",
            list.join(", ")
        ));
        self.statements(size, 0);
        if let Some(ty) = returns {
            let value = self.expr(ty, 3);
            self.text(&format!("return {value};"));
        }
        self.text("}\n");
        self.functions.push((name, params, returns));
    }

    fn statements(&mut self, size: usize, depth: usize) {
        let here = self.names.len();
        for _ in 0..self.source.below(size.min(8)) + 1 {
            self.statement(size / 2, depth);
        }
        self.names.truncate(here);
    }

    fn block(&mut self, size: usize, depth: usize) {
        self.text("{");
        self.statements(size, depth + 1);
        self.text("}");
    }

    fn statement(&mut self, size: usize, depth: usize) {
        let kinds = if depth > 4 || size == 0 { 7 } else { 13 };
        match self.source.below(kinds) {
            0 | 1 => {
                let (ty, name) = (self.ty(), self.fresh("v"));
                let value = self.expr(ty, 3);
                if self.source.chance(50) {
                    self.text(&format!("{} {name} = {value};", ty.name()));
                } else {
                    self.text(&format!("let {name}: {} = {value};", ty.name()));
                }
                self.names.push((name, ty, true));
            }
            2 => {
                let mutable: Vec<(String, Ty)> = self
                    .names
                    .iter()
                    .filter(|n| n.2)
                    .map(|n| (n.0.clone(), n.1))
                    .collect();
                if mutable.is_empty() {
                    return;
                }
                let (name, ty) = mutable[self.source.below(mutable.len())].clone();
                let op = match ty {
                    Ty::U256 | Ty::U8 | Ty::I64 => self.source.pick(&["=", "+=", "-=", "*=", "|="]),
                    _ => "=",
                };
                let value = self.expr(ty, 3);
                self.text(&format!("{name} {op} {value};"));
            }
            3 => {
                let (c, t) = (
                    self.expr(Ty::Bool, 3),
                    self.source.pick(&["\"no\"", "\"\"", "\"a\\nb\""]),
                );
                self.text(&format!("require({c}, {t});"));
            }
            4 => {
                let (a, b) = (self.expr(Ty::Address, 2), self.expr(Ty::U256, 3));
                self.text(&format!("emit Said({a}, {b});"));
            }
            5 => {
                let (a, b) = (self.expr(Ty::Address, 2), self.expr(Ty::U256, 3));
                let op = self.source.pick(&["=", "+=", "-="]);
                self.text(&format!("sums[{a}] {op} {b};"));
            }
            6 => {
                let (k, x, y) = (
                    self.expr(Ty::U256, 2),
                    self.expr(Ty::U256, 2),
                    self.expr(Ty::Bool, 2),
                );
                let text = match self.source.below(5) {
                    0 => format!("points[{k}] = Point(x: {x}, y: {y});"),
                    1 => format!("points[{k}] = Point({{x: {x}, y: {y}}});"),
                    2 => format!("points[{k}].x++;"),
                    3 => format!("delete points[{k}];"),
                    _ => "mode = Mode.Auto;".to_owned(),
                };
                self.text(&text);
            }
            7 => {
                let c = self.expr(Ty::Bool, 3);
                self.text(&format!("if ({c})"));
                self.block(size, depth);
                if self.source.chance(40) {
                    self.text("else");
                    self.out.push(' ');
                    self.block(size, depth);
                }
            }
            8 => {
                let name = self.fresh("i");
                let to = self.source.below(9);
                self.text(&format!("for ({name} in 0..{to})"));
                self.names.push((name, Ty::U256, false));
                self.loops += 1;
                self.block(size, depth);
                self.loops -= 1;
                self.names.pop();
            }
            9 => {
                let c = self.expr(Ty::Bool, 2);
                self.text(&format!("while ({c})"));
                self.loops += 1;
                self.block(size, depth);
                self.loops -= 1;
            }
            10 if self.loops > 0 => {
                let c = self.expr(Ty::Bool, 2);
                let word = self.source.pick(&["break", "continue"]);
                self.text(&format!("if ({c}) {{ {word}; }}"));
            }
            11 => {
                self.text("unchecked");
                self.out.push(' ');
                self.block(size, depth);
            }
            _ => {
                let c = self.expr(Ty::Bool, 2);
                let a = self.expr(Ty::U256, 2);
                self.text(&format!("if ({c}) revert Wrong({a}, {c});"));
            }
        }
    }

    fn expr(&mut self, ty: Ty, depth: usize) -> String {
        if depth == 0 || self.source.chance(25) {
            return self.leaf(ty);
        }
        let d = depth - 1;
        if self.source.chance(8) {
            let (c, a, b) = (self.expr(Ty::Bool, d), self.expr(ty, d), self.expr(ty, d));
            return format!("({c} ? {a} : {b})");
        }
        if self.source.chance(10) {
            let fitting: Vec<_> = self
                .functions
                .iter()
                .filter(|f| f.2 == Some(ty))
                .cloned()
                .collect();
            if !fitting.is_empty() {
                let (name, params, _) = fitting[self.source.below(fitting.len())].clone();
                let args: Vec<String> = params.into_iter().map(|p| self.expr(p, d)).collect();
                return format!("{name}({})", args.join(", "));
            }
        }
        match ty {
            Ty::U256 | Ty::U8 | Ty::I64 => {
                let op = self.source.pick(&["+", "-", "*", "/", "%", "&", "|", "^"]);
                let (a, b) = (self.expr(ty, d), self.expr(ty, d));
                match self.source.below(4) {
                    0 => format!("({a} {op} {b})"),
                    1 => format!("{}({a})", ty.name()),
                    2 if ty == Ty::U256 => format!("sums[{}]", self.expr(Ty::Address, d)),
                    _ => format!("{a} {op} {b}"),
                }
            }
            Ty::Bool => {
                let (a, b) = (self.expr(Ty::U256, d), self.expr(Ty::U256, d));
                let op = self.source.pick(&["<", "<=", ">", ">=", "==", "!="]);
                match self.source.below(5) {
                    0 => format!("!({a} {op} {b})"),
                    1 => format!("({a} {op} {b}) && {}", self.expr(Ty::Bool, d)),
                    2 => format!("(({a} {op} {b}) || {})", self.expr(Ty::Bool, d)),
                    3 => format!("points[{a}] == null"),
                    _ => format!("{a} {op} {b}"),
                }
            }
            _ => self.leaf(ty),
        }
    }

    fn leaf(&mut self, ty: Ty) -> String {
        let named: Vec<String> = self
            .names
            .iter()
            .filter(|n| n.1 == ty)
            .map(|n| n.0.clone())
            .collect();
        if !named.is_empty() && self.source.chance(60) {
            return named[self.source.below(named.len())].clone();
        }
        let list: &[&str] = match ty {
            Ty::U256 => &[
                "0",
                "1",
                "7",
                "1_000",
                "0xff",
                "1e18",
                "block.timestamp",
                "2 ** 20",
                "points[1].x",
            ],
            Ty::U8 => &["0", "1", "255", "0x0f"],
            Ty::I64 => &["0", "1", "-1", "-9_000", "9e9"],
            Ty::Bool => &["true", "false", "mode == Mode.On", "points[2].y"],
            Ty::Address => &["msg.sender", "this", "Address(0)"],
            Ty::Text => &["\"\"", "\"text\"", "\"\\x41\\u00e9\""],
            Ty::List => &["[UInt256(1), 2]", "new UInt256[](3)"],
        };
        self.source.pick(list).to_owned()
    }
}
