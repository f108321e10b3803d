//! Numbers, flow, and what is made of them.

use super::A;
use super::common::deploy;

#[test]
fn integers_are_checked() {
    let c = deploy(
        r#"contract C {
    function add8(UInt8 a, UInt8 b) public pure -> UInt8 { return a + b; }
    function sub(UInt256 a, UInt256 b) public -> UInt256 { return a - b; }
    function mul(UInt256 a, UInt256 b) public -> UInt256 { return a * b; }
    function div(UInt256 a, UInt256 b) public -> UInt256 { return a / b; }
    function rem(UInt256 a, UInt256 b) public -> UInt256 { return a % b; }
    function pow(UInt256 a, UInt256 b) public -> UInt256 { return a ** b; }
    function mul64(UInt64 a, UInt64 b) public -> UInt64 { return a * b; }
    function mul128(UInt128 a, UInt128 b) public -> UInt128 { return a * b; }
    function sadd(Int8 a, Int8 b) public -> Int8 { return a + b; }
    function sdiv(Int256 a, Int256 b) public -> Int256 { return a / b; }
    function srem(Int256 a, Int256 b) public -> Int256 { return a % b; }
    function smul(Int256 a, Int256 b) public -> Int256 { return a * b; }
    function sdiv8(Int8 a, Int8 b) public -> Int8 { return a / b; }
    function wrap(UInt8 a, UInt8 b) public -> UInt8 { unchecked { return a + b; } }
    function shl(UInt256 a, UInt256 n) public -> UInt256 { return a << n; }
    function shr(Int256 a, UInt256 n) public -> Int256 { return a >> n; }
    function neg(Int64 a) public -> Int64 { return -a; }
    function not(UInt16 a) public -> UInt16 { return ~a; }
    function cut(UInt256 a) public -> UInt8 { return UInt8(a); }
    function widen(Int8 a) public -> Int256 { return a; }
    function reinterpret(Int8 a) public -> UInt256 { return UInt256(Int256(a)); }
    function cmp(Int256 a, Int256 b) public -> Bool { return a < b && a <= b && !(a > b) && b >= a && a != b; }
    function lits() public -> UInt256 { return 2 ** 10 + 1e3 * 3 - 0x10; }
    function mm(UInt256 a, UInt256 b, UInt256 m) public -> UInt256 { return mulmod(a, b, m) + addmod(a, b, m); }
    function maxi() public -> Int128 { return type(Int128).max; }
    function pow8(UInt8 a, UInt8 b) public -> UInt8 { return a ** b; }
}"#,
        &[],
    );
    assert_eq!(c.get("add8", &["200", "55"]), "255");
    assert!(
        c.fails("add8", &["200", "56"]).contains("17")
            || c.fails("add8", &["200", "56"]).contains("11"),
        "{}",
        c.fails("add8", &["200", "56"])
    );
    assert_eq!(c.get("sub", &["5", "5"]), "0");
    c.fails("sub", &["5", "6"]);
    let big = "0x8000000000000000000000000000000000000000000000000000000000000000";
    let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    assert_eq!(
        c.get(
            "mul",
            &[
                "340282366920938463463374607431768211455",
                "340282366920938463463374607431768211457"
            ]
        ),
        max
    );
    c.fails("mul", &[big, "2"]);
    c.fails(
        "mul",
        &[
            "340282366920938463463374607431768211456",
            "340282366920938463463374607431768211456",
        ],
    );
    assert_eq!(
        c.get(
            "mul",
            &[
                "123456789012345678901234567890",
                "987654321098765432109876543210"
            ]
        ),
        "121932631137021795226185032733622923332237463801111263526900"
    );
    assert_eq!(
        c.get("div", &[max, "3"]),
        "38597363079105398474523661669562635951089994888546854679819194669304376546645"
    );
    assert_eq!(c.get("rem", &[max, "10"]), "5");
    c.fails("div", &["1", "0"]);
    assert_eq!(
        c.get("pow", &["3", "100"]),
        "515377520732011331036461129765621272702107522001"
    );
    c.fails("pow", &["2", "256"]);
    assert_eq!(c.get("pow", &["0", "0"]), "1");
    assert_eq!(
        c.get("mul64", &["4294967296", "4294967295"]),
        "18446744069414584320"
    );
    c.fails("mul64", &["4294967296", "4294967296"]);
    assert_eq!(
        c.get("mul128", &["18446744073709551615", "18446744073709551615"]),
        "340282366920938463426481119284349108225"
    );
    c.fails("mul128", &["18446744073709551616", "18446744073709551616"]);
    assert_eq!(c.get("sadd", &["-100", "-28"]), "-128");
    c.fails("sadd", &["-100", "-29"]);
    assert_eq!(c.get("sdiv", &["-7", "2"]), "-3");
    assert_eq!(c.get("srem", &["-7", "2"]), "-1");
    assert_eq!(c.get("smul", &["-7", "6"]), "-42");
    let min = "-57896044618658097711785492504343953926634992332820282019728792003956564819968";
    assert_eq!(c.get("smul", &[min, "1"]), min);
    c.fails("smul", &[min, "-1"]);
    c.fails("sdiv", &[min, "-1"]);
    c.fails("sdiv8", &["-128", "-1"]);
    assert_eq!(c.get("wrap", &["200", "100"]), "44");
    assert_eq!(
        c.get("shl", &["1", "200"]),
        "1606938044258990275541962092341162602522202993782792835301376"
    );
    assert_eq!(c.get("shl", &["1", "256"]), "0");
    assert_eq!(c.get("shr", &["-16", "2"]), "-4");
    assert_eq!(c.get("shr", &["-16", "300"]), "-1");
    assert_eq!(c.get("neg", &["-9"]), "9");
    assert_eq!(c.get("not", &["1"]), "65534");
    assert_eq!(c.get("cut", &["511"]), "255");
    assert_eq!(c.get("widen", &["-3"]), "-3");
    assert_eq!(c.get("reinterpret", &["-1"]), max);
    assert_eq!(c.get("cmp", &["-5", "4"]), "true");
    assert_eq!(c.get("cmp", &["5", "4"]), "false");
    assert_eq!(c.get("lits", &[]), "4008");
    assert_eq!(c.get("mm", &[max, max, "7"]), "3");
    assert_eq!(
        c.get("maxi", &[]),
        "170141183460469231731687303715884105727"
    );
    assert_eq!(c.get("pow8", &["2", "7"]), "128");
    c.fails("pow8", &["2", "8"]);
}

#[test]
fn control_flow() {
    let c = deploy(
        r#"contract C {
    UInt256[] public items;
    function sum(n: UInt256) public -> UInt256 {
        let total = 0;
        for (i in 0..n) { if (i % 2 == 0) continue; if (i > 7) break; total += i; }
        return total;
    }
    function cfor(UInt256 n) public -> UInt256 {
        UInt256 total;
        for (UInt256 i = 0; i < n; i++) { if (i == 3) continue; total += i; }
        return total;
    }
    function whiles(UInt64 n) public -> (UInt64, UInt64) {
        UInt64 steps = 0;
        while (n != 1) { n = n % 2 == 0 ? n / 2 : 3 * n + 1; steps++; }
        do { steps += 10; } while (false);
        return (steps, n);
    }
    function early(UInt256 x) public -> UInt256 {
        for (i in 0..10) { for (j in 0..10) { if (i * j == x) return i * 100 + j; } }
        return 9999;
    }
    function fill(UInt256 n) public { for (i in 0..n) items.push(i * i); }
    function total() public -> UInt256 { let t = 0; for (v in items) t += v; return t; }
    function mem() public -> UInt256 { let t = 0; for (v in [3, 4, 5]) { t = t * 10 + v; } return t; }
    function named(UInt256 a) public returns (UInt256 double, Bool odd) { double = a * 2; odd = a % 2 == 1; }
    function destructure() public -> UInt256 { (UInt256 d, Bool o) = named(21); let (e, _o) = named(4); (d, e) = (e, d); return d * 100 + e + (o ? 1000 : 0); }
    function sideEffects() public -> UInt256 { UInt256 i = 5; UInt256 a = i++; UInt256 b = ++i; UInt256 c = i--; return a * 100 + b * 10 + c + i * 1000; }
    function logic(Bool a, Bool b) public -> Bool { return a && b || !a && !b; }
}"#,
        &[],
    );
    assert_eq!(c.get("sum", &["100"]), "16");
    assert_eq!(c.get("cfor", &["6"]), "12");
    assert_eq!(c.get("whiles", &["6"]), "18, 1");
    assert_eq!(c.get("early", &["42"]), "607");
    assert_eq!(c.get("early", &["97"]), "9999");
    c.get("fill", &["5"]);
    assert_eq!(c.get("total", &[]), "30");
    assert_eq!(c.get("items", &["3"]), "9");
    c.fails("items", &["5"]);
    assert_eq!(c.get("mem", &[]), "345");
    assert_eq!(c.get("named", &["7"]), "14, true");
    assert_eq!(c.get("destructure", &[]), "1842");
    assert_eq!(c.get("sideEffects", &[]), "6577");
    assert_eq!(c.get("logic", &["false", "false"]), "true");
    assert_eq!(c.get("logic", &["true", "false"]), "false");
}

#[test]
fn structures_arrays_and_mappings() {
    let c = deploy(
        r#"contract C {
    enum Status { Open, Funded, Closed }
    struct Point { x: Int32; y: Int32 }
    struct Escrow { id: UInt256; Address buyer; String note; Status status; Point at; UInt16[] parts; Bool ok; }
    escrows: mapping(UInt256 => Escrow);
    Escrow[] public list;
    mapping(Address => mapping(String => UInt256)) public scores;
    UInt8[3][2] grid;
    Point public origin;
    Bytes public blob;
    String public title = "start";
    function create(UInt256 id, String note) public {
        require(escrows[id] == null, "exists");
        escrows[id] = Escrow({id: id, buyer: msg.sender, note: note, status: Status.Funded, at: Point(x: -5, y: 6), parts: [1, 2, 3], ok: true});
        list.push(escrows[id]);
    }
    function note(UInt256 id) public -> String { require(escrows[id] != null, "none"); return escrows[id].note; }
    function get(UInt256 id) public -> Escrow { return escrows[id]; }
    function close(UInt256 id) public { Escrow storage e = escrows[id]; e.status = Status.Closed; e.at.x += 7; e.parts.push(9); e.parts[0] = 100; }
    function remove(UInt256 id) public { delete escrows[id]; }
    function swapRemove(UInt256 i) public { list[i] = list[list.length - 1]; list.pop(); }
    function count() public -> UInt256 { return list.length; }
    function score(Address who, String key, UInt256 v) public { scores[who][key] += v; }
    function setGrid(UInt256 i, UInt256 j, UInt8 v) public { grid[i][j] = v; }
    function getGrid() public -> UInt8[3][2] { return grid; }
    function copies() public -> (UInt256, UInt256) { UInt256[] a = new UInt256[](3); a[1] = 5; let b = a; b[1] = 6; return (a[1], b[1]); }
    function mutate(UInt256[] memory xs) internal -> UInt256 { xs[0] = 77; return xs[0]; }
    function paramCopy() public -> UInt256 { UInt256[] a = [1, 2]; let r = mutate(a); return a[0] * 1000 + r; }
    function push(UInt256[] xs) public -> UInt256[] { let ys = xs; ys.push(42); ys.pop(); ys.push(43); return ys; }
    function setBlob(Bytes b) public { blob = b; }
    function blobByte(UInt256 i) public -> UInt8 { return blob[i]; }
    function setByte(UInt256 i, UInt8 v) public { blob[i] = v; blob.push(v); }
    function points(Point[] ps) public -> (Int32, Point) { Int32 s = 0; for (p in ps) s += p.x * p.y; return (s, ps[0]); }
    function nested(String[][] ss) public -> String { return ss[1][0]; }
    function structMem() public -> Int32 { Point p = Point(1, 2); let q = p; q.x = 9; p.y = q.x + p.x; return p.y * 100 + q.y; }
    function setOrigin(Int32 x) public { origin.x = x; origin = Point(origin.x, origin.x * 2); }
    function enumCast(UInt256 v) public -> Status { return Status(v); }
    function pops() public { UInt256[] e = new UInt256[](0); e.pop(); }
    function b32(Bytes32 b, UInt256 i) public -> UInt8 { return b[i]; }
    function cat(String a, String b) public -> (String, Bool) { return (a + "-" + b, a == b); }
    function deleteList() public { delete list; }
    function assignList(UInt16[] xs) public -> UInt16[] { escrows[50].parts = xs; return escrows[50].parts; }
}"#,
        &[],
    );
    c.get(
        "create",
        &[
            "7",
            "\"hello world, this is a text of more than thirty-two bytes\"",
        ],
    );
    assert!(c.fails("create", &["7", "\"x\""]).contains("exists"));
    assert!(c.fails("note", &["8"]).contains("none"));
    assert_eq!(
        c.get("note", &["7"]),
        "\"hello world, this is a text of more than thirty-two bytes\""
    );
    c.get("close", &["7"]);
    let e = c.get("get", &["7"]);
    assert!(e.contains("2, (2, 6), [100, 2, 3, 9], true"), "{e}");
    c.get("remove", &["7"]);
    assert!(c.fails("note", &["7"]).contains("none"));
    c.get("create", &["1", "\"one\""]);
    c.get("create", &["2", "\"two\""]);
    assert_eq!(c.get("count", &[]), "3");
    c.get("swapRemove", &["0"]);
    assert_eq!(c.get("count", &[]), "2");
    assert!(
        c.get("list", &["0"]).contains("\"two\""),
        "{}",
        c.get("list", &["0"])
    );
    c.get(
        "score",
        &[
            A,
            "\"a long key that takes more than one word of storage\"",
            "5",
        ],
    );
    c.get(
        "score",
        &[
            A,
            "\"a long key that takes more than one word of storage\"",
            "6",
        ],
    );
    assert_eq!(
        c.get(
            "scores",
            &[A, "\"a long key that takes more than one word of storage\""]
        ),
        "11"
    );
    c.get("setGrid", &["2", "1", "9"]);
    c.fails("setGrid", &["1", "2", "9"]);
    assert_eq!(c.get("getGrid", &[]), "[[0, 0], [0, 0], [0, 9]]");
    assert_eq!(c.get("copies", &[]), "5, 6");
    assert_eq!(c.get("paramCopy", &[]), "1077");
    assert_eq!(c.get("push", &["[1,2]"]), "[1, 2, 43]");
    c.get("setBlob", &["0x010203"]);
    assert_eq!(c.get("blobByte", &["2"]), "3");
    c.get("setByte", &["0", "255"]);
    assert_eq!(c.get("blob", &[]), "0xff0203ff");
    c.fails("blobByte", &["4"]);
    assert_eq!(c.get("points", &["[(2,3),(-4,5)]"]), "-14, (2, 3)");
    assert_eq!(c.get("nested", &["[[\"a\"],[\"bcd\",\"e\"]]"]), "\"bcd\"");
    assert_eq!(c.get("structMem", &[]), "1002");
    c.get("setOrigin", &["-8"]);
    assert_eq!(c.get("origin", &[]), "-8, -16");
    assert_eq!(c.get("enumCast", &["2"]), "2");
    assert!(
        c.fails("enumCast", &["3"]).contains("33") || c.fails("enumCast", &["3"]).contains("21"),
        "{}",
        c.fails("enumCast", &["3"])
    );
    c.fails("pops", &[]);
    assert_eq!(
        c.get(
            "b32",
            &[
                "0x0102030000000000000000000000000000000000000000000000000000000099",
                "31"
            ]
        ),
        "153"
    );
    assert_eq!(c.get("cat", &["\"ab\"", "\"cd\""]), "\"ab-cd\", false");
    assert_eq!(c.get("title", &[]), "\"start\"");
    assert_eq!(c.get("assignList", &["[1,2,3]"]), "[1, 2, 3]");
    assert_eq!(c.get("assignList", &["[7]"]), "[7]");
    c.get("deleteList", &[]);
    assert_eq!(c.get("count", &[]), "0");
    // Nothing is left but what is set.
}

#[test]
fn encoding_and_hashing() {
    let c = deploy(
        r#"contract C {
    event Many(UInt8 a, String indexed s, Bytes data, UInt256[] list, Address indexed who);
    function enc(UInt256 a, String s, UInt8[] xs) public -> Bytes { return abi.encode(a, s, xs); }
    function dec(Bytes b) public -> (UInt256, String, UInt8[]) { let (a, s, xs) = abi.decode(b, (UInt256, String, UInt8[])); return (a, s, xs); }
    function packed(UInt8 a, Address b, String s, Bool f, Int16 i) public -> Bytes { return abi.encodePacked(a, b, s, f, i); }
    function hash(Bytes b) public -> Bytes32 { return keccak256(b); }
    function lit() public -> (Bytes, Bytes32) { return (Bytes("deadbeef"), keccak256("abc")); }
    function fire(String s) public { emit Many(7, s, Bytes("0102"), [1, 2, 3], msg.sender); }
    function sel() public -> Bytes { return abi.encodeWithSelector(0x12345678, 1); }
    function toB32(Bytes b) public -> Bytes32 { return Bytes32(b); }
    function fromB32(Bytes32 b) public -> (Bytes, UInt256, Address) { return (Bytes(b), UInt256(b), Address(b)); }
    function overload(UInt256 a) public -> UInt256 { return a; }
    function overload(String s) public -> UInt256 { return s.length; }
    function both() public -> UInt256 { return overload(5) + overload("four"); }
    function time() public -> (UInt256, UInt256, UInt256) { return (block.timestamp, block.number, block.chainid); }
}"#,
        &[],
    );
    let encoded = c.get("enc", &["5", "\"hello\"", "[1,2]"]);
    assert_eq!(c.get("dec", &[&encoded]), "5, \"hello\", [1, 2]");
    assert_eq!(encoded.len(), 2 + 64 * 8);
    c.fails("dec", &["0x00"]);
    assert_eq!(
        c.get("packed", &["1", A, "\"ab\"", "true", "-2"]),
        "0x010000000000000000000000000000000000000022616201fffe"
    );
    assert_eq!(
        c.get("hash", &["0x"]),
        "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    );
    assert_eq!(
        c.get("lit", &[]),
        "0xdeadbeef, 0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
    );
    c.get("fire", &["\"abc\""]);
    let events = c.events();
    assert_eq!(events.len(), 1);
    assert!(
        events[0].contains("a=7")
            && events[0].contains("data=0x0102")
            && events[0].contains("list=[1, 2, 3]")
            && events[0]
                .contains("4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        "{events:?}"
    );
    assert!(c.get("sel", &[]).starts_with("0x123456780000"));
    assert!(c.get("toB32", &["0x0102"]).starts_with("0x01020000"));
    assert!(
        c.get(
            "fromB32",
            &["0x0000000000000000000000000000000000000000000000000000000000000005"]
        )
        .contains(", 5, ")
    );
    assert_eq!(c.get("both", &[]), "9");
    assert_eq!(c.get("time", &[]), "1700000000, 77, 6");
    // Dirty upper bits are refused.
    let function = c.abi.function("packed").unwrap()[0].selector();
    let mut data = function.to_vec();
    data.extend([0xff; 32 * 5]);
    assert!(c.raw(&data).is_err());
}

#[test]
fn topics_of_aggregates_hash_their_parts() {
    use alloy_primitives::{U256, keccak256};
    let c = deploy(
        r#"contract C {
    struct Item { n: UInt8; list: UInt16[]; text: String; }
    event E(item: Item indexed, grid: UInt8[][2] indexed, all: Item[] indexed);
    function f() public {
        let list = new UInt16[](2);
        list[1] = 7;
        let item = Item(n: 5, list: list, text: "a text of more than thirty-two bytes, padded");
        UInt8[][2] memory grid;
        grid.push([UInt8(0), UInt8(3)]);
        let all = new Item[](1);
        all[0] = item;
        emit E(item, grid, all);
    }
}"#,
        &[],
    );
    c.get("f", &[]);
    let mut item = Vec::new();
    for n in [5u64, 0, 7] {
        item.extend(U256::from(n).to_be_bytes::<32>());
    }
    item.extend(b"a text of more than thirty-two bytes, padded");
    item.resize(32 * 5, 0);
    let expected = keccak256(&item).0;
    let events = c.chain.0.borrow().world.events.clone();
    let topics: Vec<[u8; 32]> = events[0].1[1..].iter().map(|t| t.to_be_bytes()).collect();
    assert_eq!(topics[0], expected);
    // Dimensions read from left to right: a list of pairs, one of which there is.
    assert_eq!(
        topics[1],
        keccak256([[0u8; 32], U256::from(3).to_be_bytes()].concat()).0
    );
    // The same parts, though one deeper.
    assert_eq!(topics[2], expected);
}

#[test]
fn a_value_is_computed_before_its_place() {
    let c = deploy(
        r#"contract C {
    function set() public -> (UInt256[3], UInt256) { UInt256[3] memory l; UInt256 i = 1; l[i++] = i; return (l, i); }
    function add() public -> (UInt256[3], UInt256) { UInt256[3] memory l; UInt256 i = 1; l[i--] += i; return (l, i); }
    function shift() public -> (UInt256[3], UInt8) { UInt256[3] memory l; l[0] = 1; UInt8 i = 0; l[i++] <<= i; return (l, i); }
    function other() public -> (UInt256[3], UInt256) { UInt256[3] memory l; UInt256 i = 1; UInt256 k = 9; l[i++] = k; return (l, i); }
}"#,
        &[],
    );
    assert_eq!(c.get("set", &[]), "[0, 1, 0], 2");
    assert_eq!(c.get("add", &[]), "[0, 1, 0], 0");
    assert_eq!(c.get("shift", &[]), "[1, 0, 0], 1");
    assert_eq!(c.get("other", &[]), "[0, 9, 0], 2");
}

#[test]
fn a_list_never_wraps_around_the_memory() {
    let c = deploy(
        r#"contract C {
    function f(UInt256 n) public -> UInt256 { let l = new UInt256[][4](n); l[n - 1][3] = 7; return l[n - 1][3]; }
}"#,
        &[],
    );
    assert_eq!(c.get("f", &["2"]), "7");
    // 2^25 elements of 2^7 bytes are 2^32 bytes, of which 32 bits hold none.
    for n in ["33554432", "33554433", "67108863", "18446744073709551617"] {
        assert!(c.fails("f", &[n]).contains("0x41"), "{n}");
    }
}
