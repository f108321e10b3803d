;; Helper routines of compiled contracts. The build script turns this file into Wasm; the
;; compiler copies into a contract only those functions that the contract reaches.
;;
;; A 256-bit value is four i64 limbs, least significant first. A block (Bytes, String, T[]) is
;; a pointer to {length: u32, unused: u32, data}; pointer 0 is the empty block, since the first
;; 16 bytes of memory stay zero.
;;
;; Fixed memory: 0 zeros · 32 host results · 64 hash input · 128 panic data · 256 topics · 1024 data segments.
(module
  (import "context" "caller" (func $caller (param i32)))
  (import "context" "revert" (func $host_revert (param i32 i32)))
  (import "context" "value" (func $value (param i32)))
  (import "context" "self-address" (func $self (param i32)))
  (import "context" "origin" (func $origin (param i32)))
  (import "context" "block-number" (func $block_number (result i64)))
  (import "context" "block-timestamp" (func $block_timestamp (result i64)))
  (import "context" "chain-id" (func $chain_id (result i64)))
  (import "context" "gas-left" (func $gas_left (result i64)))
  (import "events" "emit" (func $emit (param i32 i32 i32 i32)))
  (import "journal" "begin" (func $begin))
  (import "journal" "commit" (func $commit))
  (import "journal" "rollback" (func $rollback))
  (import "log" "debug" (func $debug (param i32 i32)))
  (import "calls" "allow-reentrancy" (func $allow_reentrancy (param i32)))
  (import "storage" "load" (func $load (param i64 i64 i64 i64 i32)))
  (import "storage" "store" (func $store (param i64 i64 i64 i64 i64 i64 i64 i64)))
  (import "storage" "get" (func $get (param i32 i32 i32)))
  (import "storage" "set" (func $set (param i32 i32 i32 i32)))
  (import "storage" "remove" (func $remove (param i32 i32) (result i32)))
  (import "storage" "has" (func $has (param i32 i32) (result i32)))
  (import "crypto" "blake3" (func $blake3 (param i32 i32 i32)))
  (import "crypto" "keccak256" (func $keccak (param i32 i32 i32)))
  (import "crypto" "sha256" (func $sha256 (param i32 i32 i32)))
  (import "crypto" "sha3-256" (func $sha3 (param i32 i32 i32)))
  (import "crypto" "verify" (func $verify (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "crypto" "decapsulate" (func $decapsulate (param i32 i32 i32 i32 i32 i32)))
  (import "math" "div" (func $host_div (param i64 i64 i64 i64 i64 i64 i64 i64 i32)))
  (import "math" "rem" (func $host_rem (param i64 i64 i64 i64 i64 i64 i64 i64 i32)))
  (import "math" "exp" (func $host_exp (param i64 i64 i64 i64 i64 i64 i64 i64 i32)))
  (import "math" "add-mod" (func $host_addmod (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i32)))
  (import "math" "mul-mod" (func $host_mulmod (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i32)))
  (import "accounts" "balance" (func $balance (param i64 i64 i64 i64 i32)))
  (import "accounts" "transfer" (func $transfer (param i64 i64 i64 i64 i64 i64 i64 i64) (result i32)))
  (import "calls" "call" (func $call (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i32 i32 i32)))
  (import "calls" "query" (func $query (param i64 i64 i64 i64 i64 i32 i32 i32)))
  (import "calls" "self-call" (func $self_call (param i64 i32 i32 i32)))
  (import "ext" "invoke" (func $invoke (param i32 i32 i32 i32 i32)))
  (import "nn" "infer" (func $infer (param i64 i64 i64 i64 i32 i32 i32)))
  (import "nn" "quote" (func $quote (param i64 i64 i64 i64 i32)))

  (memory 1)
  (global $heap (mut i32) (i32.const 1024))

  ;; ---- memory

  (func $alloc (export "alloc") (param $n i32) (result i32) (local $p i32)
    (local.set $p (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (call $reserve (i64.add (i64.extend_i32_u (local.get $p)) (i64.extend_i32_u (local.get $n))))
    (global.set $heap (i32.add (local.get $p) (local.get $n)))
    (local.get $p))

  ;; Makes memory reach up to address $end.
  (func $reserve (export "reserve") (param $end i64) (local $have i64)
    (local.set $have (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16)))
    (if (i64.gt_u (local.get $end) (local.get $have))
      (then
        (if (i64.gt_u (local.get $end) (i64.const 0xfffffff0)) (then (call $panic (i32.const 0x41))))
        (if (i32.eq (i32.const -1)
              (memory.grow (i32.wrap_i64 (i64.shr_u
                (i64.add (i64.sub (local.get $end) (local.get $have)) (i64.const 65535)) (i64.const 16)))))
          (then (call $panic (i32.const 0x41)))))))

  (func $cabi_realloc (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
    (local $p i32)
    (local.set $p (call $alloc (local.get $new)))
    (if (local.get $size)
      (then (memory.copy (local.get $p) (local.get $old)
        (select (local.get $size) (local.get $new) (i32.lt_u (local.get $size) (local.get $new))))))
    (local.get $p))

  ;; An array of $count elements of $size bytes, all zero, with its length set.
  (func $new_block (export "new_block") (param $count i64) (param $size i32) (result i32) (local $p i32)
    (if (i64.gt_u (local.get $count) (i64.const 0x3ffffff)) (then (call $panic (i32.const 0x41))))
    (local.set $p (call $alloc (i32.add (i32.mul (i32.wrap_i64 (local.get $count)) (local.get $size)) (i32.const 8))))
    (memory.fill (local.get $p) (i32.const 0) (i32.add (i32.mul (i32.wrap_i64 (local.get $count)) (local.get $size)) (i32.const 8)))
    (i32.store (local.get $p) (i32.wrap_i64 (local.get $count)))
    (local.get $p))

  ;; The same for elements so large that the product may pass the address space.
  (func $new_large (export "new_large") (param $count i64) (param $size i32) (result i32)
    (if (i64.gt_u (local.get $count) (i64.div_u (i64.const 0xffffffe0) (i64.extend_i32_u (local.get $size))))
      (then (call $panic (i32.const 0x41))))
    (call $new_block (local.get $count) (local.get $size)))

  (func $alloc_zero (export "alloc_zero") (param $n i32) (result i32) (local $p i32)
    (local.set $p (call $alloc (local.get $n)))
    (memory.fill (local.get $p) (i32.const 0) (local.get $n))
    (local.get $p))

  ;; ---- failure

  (func $revert (export "revert") (param $p i32) (param $n i32)
    (call $host_revert (local.get $p) (local.get $n))
    unreachable)

  (func $revert_empty (export "revert_empty")
    (call $revert (i32.const 0) (i32.const 0)))

  (func $panic (export "panic") (param $code i32)
    (i32.store (i32.const 128) (i32.const 0x717b484e))
    (call $store_be64 (i32.const 132) (i64.extend_i32_u (local.get $code)))
    (call $revert (i32.const 128) (i32.const 36)))

  (func $panic_overflow (export "panic_overflow") (call $panic (i32.const 0x11)))
  (func $panic_index (export "panic_index") (call $panic (i32.const 0x32)))

  ;; Error(string) with the text of a block.
  (func $revert_text (export "revert_text") (param $b i32) (local $p i32) (local $e i32)
    (local.set $p (call $alloc (i32.add (i32.load (local.get $b)) (i32.const 104))))
    (i32.store (local.get $p) (i32.const 0xa079c308))
    (call $store_be64 (i32.add (local.get $p) (i32.const 4)) (i64.const 32))
    (local.set $e (call $enc_bytes (local.get $b) (i32.add (local.get $p) (i32.const 36))))
    (call $revert (local.get $p) (i32.sub (local.get $e) (local.get $p))))

  ;; Reverts with the bytes of a block.
  (func $revert_block (export "revert_block") (param $b i32)
    (call $revert (i32.add (local.get $b) (i32.const 8)) (i32.load (local.get $b))))

  ;; ---- big-endian words

  (func $bswap (export "bswap") (param $x i64) (result i64)
    (local.set $x (i64.or
      (i64.and (i64.shr_u (local.get $x) (i64.const 8)) (i64.const 0x00ff00ff00ff00ff))
      (i64.shl (i64.and (local.get $x) (i64.const 0x00ff00ff00ff00ff)) (i64.const 8))))
    (local.set $x (i64.or
      (i64.and (i64.shr_u (local.get $x) (i64.const 16)) (i64.const 0x0000ffff0000ffff))
      (i64.shl (i64.and (local.get $x) (i64.const 0x0000ffff0000ffff)) (i64.const 16))))
    (i64.rotl (local.get $x) (i64.const 32)))

  (func $load_be (export "load_be") (param $p i32) (result i64 i64 i64 i64)
    (call $bswap (i64.load offset=24 align=1 (local.get $p)))
    (call $bswap (i64.load offset=16 align=1 (local.get $p)))
    (call $bswap (i64.load offset=8 align=1 (local.get $p)))
    (call $bswap (i64.load align=1 (local.get $p))))

  (func $store_be (export "store_be") (param $p i32) (param $a i64) (param $b i64) (param $c i64) (param $d i64)
    (i64.store offset=24 align=1 (local.get $p) (call $bswap (local.get $a)))
    (i64.store offset=16 align=1 (local.get $p) (call $bswap (local.get $b)))
    (i64.store offset=8 align=1 (local.get $p) (call $bswap (local.get $c)))
    (i64.store align=1 (local.get $p) (call $bswap (local.get $d))))

  (func $store_be64 (export "store_be64") (param $p i32) (param $x i64)
    (i64.store align=1 (local.get $p) (i64.const 0))
    (i64.store offset=8 align=1 (local.get $p) (i64.const 0))
    (i64.store offset=16 align=1 (local.get $p) (i64.const 0))
    (i64.store offset=24 align=1 (local.get $p) (call $bswap (local.get $x))))

  (func $store_be64s (export "store_be64s") (param $p i32) (param $x i64) (local $s i64)
    (local.set $s (i64.shr_s (local.get $x) (i64.const 63)))
    (i64.store align=1 (local.get $p) (local.get $s))
    (i64.store offset=8 align=1 (local.get $p) (local.get $s))
    (i64.store offset=16 align=1 (local.get $p) (local.get $s))
    (i64.store offset=24 align=1 (local.get $p) (call $bswap (local.get $x))))

  ;; An unsigned number of at most $max; anything else reverts as solc's decoder does.
  (func $load_be64 (export "load_be64") (param $p i32) (param $max i64) (result i64) (local $x i64)
    (local.set $x (call $bswap (i64.load offset=24 align=1 (local.get $p))))
    (if (i32.or
          (i64.ne (i64.or (i64.or (i64.load align=1 (local.get $p)) (i64.load offset=8 align=1 (local.get $p)))
            (i64.load offset=16 align=1 (local.get $p))) (i64.const 0))
          (i64.gt_u (local.get $x) (local.get $max)))
      (then (call $revert_empty)))
    (local.get $x))

  ;; A signed number of 64-$shift bits.
  (func $load_be64s (export "load_be64s") (param $p i32) (param $shift i64) (result i64) (local $x i64) (local $s i64)
    (local.set $x (call $bswap (i64.load offset=24 align=1 (local.get $p))))
    (local.set $s (i64.shr_s (local.get $x) (i64.const 63)))
    (if (i32.or
          (i32.or (i64.ne (i64.load align=1 (local.get $p)) (local.get $s))
            (i32.or (i64.ne (i64.load offset=8 align=1 (local.get $p)) (local.get $s))
              (i64.ne (i64.load offset=16 align=1 (local.get $p)) (local.get $s))))
          (i64.ne (local.get $x) (i64.shr_s (i64.shl (local.get $x) (local.get $shift)) (local.get $shift))))
      (then (call $revert_empty)))
    (local.get $x))

  (func $load_be_address (export "load_be_address") (param $p i32) (result i64 i64 i64 i64)
    (if (i64.ne (i64.or (i64.load align=1 (local.get $p)) (i64.extend_i32_u (i32.load offset=8 align=1 (local.get $p)))) (i64.const 0))
      (then (call $revert_empty)))
    (call $load_be (local.get $p)))

  (func $load_be128 (export "load_be128") (param $p i32) (result i64 i64 i64 i64)
    (if (i64.ne (i64.or (i64.load align=1 (local.get $p)) (i64.load offset=8 align=1 (local.get $p))) (i64.const 0))
      (then (call $revert_empty)))
    (call $load_be (local.get $p)))

  (func $load_be128s (export "load_be128s") (param $p i32) (result i64 i64 i64 i64) (local $s i64)
    (local.set $s (i64.shr_s (call $bswap (i64.load offset=16 align=1 (local.get $p))) (i64.const 63)))
    (if (i32.or (i64.ne (i64.load align=1 (local.get $p)) (local.get $s))
          (i64.ne (i64.load offset=8 align=1 (local.get $p)) (local.get $s)))
      (then (call $revert_empty)))
    (call $load_be (local.get $p)))

  ;; ---- ABI coding of dynamic values

  ;; Writes length and bytes at $dst; gives the end, which is a multiple of 32 behind $dst.
  (func $enc_bytes (export "enc_bytes") (param $b i32) (param $dst i32) (result i32) (local $n i32) (local $e i32)
    (local.set $n (i32.load (local.get $b)))
    (call $reserve (i64.add (i64.extend_i32_u (local.get $dst)) (i64.add (i64.extend_i32_u (local.get $n)) (i64.const 64))))
    (local.set $e (i32.add (local.get $dst) (i32.add (i32.const 32) (i32.and (i32.add (local.get $n) (i32.const 31)) (i32.const -32)))))
    (call $store_be64 (local.get $dst) (i64.extend_i32_u (local.get $n)))
    (if (local.get $n)
      (then (memory.fill (i32.sub (local.get $e) (i32.const 32)) (i32.const 0) (i32.const 32))))
    ;; The fill may have wiped the length when there is one data word only; it never does:
    ;; the last word lies behind the length word.
    (memory.copy (i32.add (local.get $dst) (i32.const 32)) (i32.add (local.get $b) (i32.const 8)) (local.get $n))
    (local.get $e))

  ;; Position that the offset word at $head points to, with one more word before $end.
  (func $dec_offset (export "dec_offset") (param $head i32) (param $base i32) (param $end i32) (param $need i32) (result i32) (local $x i64)
    (local.set $x (i64.add (call $load_be64 (local.get $head) (i64.const 0xffffffff)) (i64.extend_i32_u (local.get $base))))
    (if (i64.gt_u (i64.add (local.get $x) (i64.extend_i32_u (local.get $need))) (i64.extend_i32_u (local.get $end)))
      (then (call $revert_empty)))
    (i32.wrap_i64 (local.get $x)))

  ;; The length word at $p of an array whose elements take $size bytes each.
  (func $dec_length (export "dec_length") (param $p i32) (param $end i32) (param $size i32) (result i32) (local $n i64)
    (local.set $n (call $load_be64 (local.get $p) (i64.const 0xffffffff)))
    (if (i64.gt_u (i64.add (i64.extend_i32_u (local.get $p)) (i64.add (i64.const 32) (i64.mul (local.get $n) (i64.extend_i32_u (local.get $size)))))
          (i64.extend_i32_u (local.get $end)))
      (then (call $revert_empty)))
    (i32.wrap_i64 (local.get $n)))

  (func $dec_bytes (export "dec_bytes") (param $p i32) (param $end i32) (result i32) (local $n i32)
    (local.set $n (call $dec_length (local.get $p) (local.get $end) (i32.const 1)))
    (call $block_from (i32.add (local.get $p) (i32.const 32)) (local.get $n)))

  ;; A block with a copy of $n bytes at $p.
  (func $block_from (export "block_from") (param $p i32) (param $n i32) (result i32) (local $b i32)
    (local.set $b (call $alloc (i32.add (local.get $n) (i32.const 8))))
    (i64.store (local.get $b) (i64.extend_i32_u (local.get $n)))
    (memory.copy (i32.add (local.get $b) (i32.const 8)) (local.get $p) (local.get $n))
    (local.get $b))

  ;; A block whose data the host has put at $p. When room for a header was left right before
  ;; it nothing is copied.
  (func $block_at (export "block_at") (param $header i32) (param $p i32) (param $n i32) (result i32)
    (if (result i32) (i32.eq (i32.add (local.get $header) (i32.const 8)) (local.get $p))
      (then (i64.store (local.get $header) (i64.extend_i32_u (local.get $n))) (local.get $header))
      (else (call $block_from (local.get $p) (local.get $n)))))

  ;; ---- storage

  (func $sload (export "sload") (param i64 i64 i64 i64) (result i64 i64 i64 i64)
    (call $load (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 32))
    (i64.load offset=32 (i32.const 0)) (i64.load offset=40 (i32.const 0))
    (i64.load offset=48 (i32.const 0)) (i64.load offset=56 (i32.const 0)))

  ;; Slot of the entry under a word in the mapping at a slot.
  (func $map_word (export "map_word") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64)
    (i64.store offset=64 (i32.const 0) (local.get 0)) (i64.store offset=72 (i32.const 0) (local.get 1))
    (i64.store offset=80 (i32.const 0) (local.get 2)) (i64.store offset=88 (i32.const 0) (local.get 3))
    (i64.store offset=96 (i32.const 0) (local.get 4)) (i64.store offset=104 (i32.const 0) (local.get 5))
    (i64.store offset=112 (i32.const 0) (local.get 6)) (i64.store offset=120 (i32.const 0) (local.get 7))
    (call $blake3 (i32.const 64) (i32.const 64) (i32.const 32))
    (i64.load offset=32 (i32.const 0)) (i64.load offset=40 (i32.const 0))
    (i64.load offset=48 (i32.const 0)) (i64.load offset=56 (i32.const 0)))

  ;; The same under the bytes of a block.
  (func $map_bytes (export "map_bytes") (param $b i32) (param i64 i64 i64 i64) (result i64 i64 i64 i64) (local $p i32) (local $n i32) (local $h i32)
    (local.set $h (global.get $heap))
    (local.set $n (i32.load (local.get $b)))
    (local.set $p (call $alloc (i32.add (local.get $n) (i32.const 32))))
    (memory.copy (local.get $p) (i32.add (local.get $b) (i32.const 8)) (local.get $n))
    (local.set $b (i32.add (local.get $p) (local.get $n)))
    (i64.store align=1 (local.get $b) (local.get 1)) (i64.store offset=8 align=1 (local.get $b) (local.get 2))
    (i64.store offset=16 align=1 (local.get $b) (local.get 3)) (i64.store offset=24 align=1 (local.get $b) (local.get 4))
    (call $blake3 (local.get $p) (i32.add (local.get $n) (i32.const 32)) (i32.const 32))
    (global.set $heap (local.get $h))
    (i64.load offset=32 (i32.const 0)) (i64.load offset=40 (i32.const 0))
    (i64.load offset=48 (i32.const 0)) (i64.load offset=56 (i32.const 0)))

  ;; Slot of the first element of the array whose length is at a slot.
  (func $array_slot (export "array_slot") (param i64 i64 i64 i64) (result i64 i64 i64 i64)
    (i64.store offset=64 (i32.const 0) (local.get 0)) (i64.store offset=72 (i32.const 0) (local.get 1))
    (i64.store offset=80 (i32.const 0) (local.get 2)) (i64.store offset=88 (i32.const 0) (local.get 3))
    (call $blake3 (i32.const 64) (i32.const 32) (i32.const 32))
    (i64.load offset=32 (i32.const 0)) (i64.load offset=40 (i32.const 0))
    (i64.load offset=48 (i32.const 0)) (i64.load offset=56 (i32.const 0)))

  (func $sload_bytes (export "sload_bytes") (param i64 i64 i64 i64) (result i32) (local $h i32)
    (call $store_be (i32.const 64) (local.get 0) (local.get 1) (local.get 2) (local.get 3))
    (local.set $h (call $alloc (i32.const 8)))
    (call $get (i32.const 64) (i32.const 32) (i32.const 32))
    (if (result i32) (i32.load8_u offset=32 (i32.const 0))
      (then (call $block_at (local.get $h) (i32.load offset=36 (i32.const 0)) (i32.load offset=40 (i32.const 0))))
      (else (i32.const 0))))

  (func $sstore_bytes (export "sstore_bytes") (param i64 i64 i64 i64) (param $b i32)
    (call $store_be (i32.const 64) (local.get 0) (local.get 1) (local.get 2) (local.get 3))
    (if (i32.load (local.get $b))
      (then (call $set (i32.const 64) (i32.const 32) (i32.add (local.get $b) (i32.const 8)) (i32.load (local.get $b))))
      (else (drop (call $remove (i32.const 64) (i32.const 32))))))

  (func $shas (export "shas") (param i64 i64 i64 i64) (result i32)
    (call $store_be (i32.const 64) (local.get 0) (local.get 1) (local.get 2) (local.get 3))
    (call $has (i32.const 64) (i32.const 32)))

  ;; ---- bytes

  (func $bytes_eq (export "bytes_eq") (param $a i32) (param $b i32) (result i32) (local $i i32) (local $n i32)
    (local.set $n (i32.load (local.get $a)))
    (if (i32.ne (local.get $n) (i32.load (local.get $b))) (then (return (i32.const 0))))
    (local.set $a (i32.add (local.get $a) (i32.const 8)))
    (local.set $b (i32.add (local.get $b) (i32.const 8)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (if (i32.ne (i32.load8_u (i32.add (local.get $a) (local.get $i))) (i32.load8_u (i32.add (local.get $b) (local.get $i))))
          (then (return (i32.const 0))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (i32.const 1))

  (func $concat (export "concat") (param $a i32) (param $b i32) (result i32) (local $p i32) (local $n i32) (local $m i32)
    (local.set $n (i32.load (local.get $a)))
    (local.set $m (i32.load (local.get $b)))
    (local.set $p (call $alloc (i32.add (i32.add (local.get $n) (local.get $m)) (i32.const 8))))
    (i64.store (local.get $p) (i64.extend_i32_u (i32.add (local.get $n) (local.get $m))))
    (memory.copy (i32.add (local.get $p) (i32.const 8)) (i32.add (local.get $a) (i32.const 8)) (local.get $n))
    (memory.copy (i32.add (local.get $p) (i32.add (local.get $n) (i32.const 8))) (i32.add (local.get $b) (i32.const 8)) (local.get $m))
    (local.get $p))

  ;; A copy of the array block $b, grown by one element of $size bytes (zero).
  (func $grown (export "grown") (param $b i32) (param $size i32) (result i32) (local $p i32) (local $n i32)
    (local.set $n (i32.load (local.get $b)))
    (local.set $p (call $new_block (i64.add (i64.extend_i32_u (local.get $n)) (i64.const 1)) (local.get $size)))
    (memory.copy (i32.add (local.get $p) (i32.const 8)) (i32.add (local.get $b) (i32.const 8)) (i32.mul (local.get $n) (local.get $size)))
    (local.get $p))

  (func $result_word (export "result_word") (result i64 i64 i64 i64)
    (i64.load offset=32 (i32.const 0)) (i64.load offset=40 (i32.const 0))
    (i64.load offset=48 (i32.const 0)) (i64.load offset=56 (i32.const 0)))

  (func $get_caller (export "get_caller") (result i64 i64 i64 i64) (call $caller (i32.const 32)) (call $result_word))
  (func $get_value (export "get_value") (result i64 i64 i64 i64) (call $value (i32.const 32)) (call $result_word))
  (func $get_self (export "get_self") (result i64 i64 i64 i64) (call $self (i32.const 32)) (call $result_word))
  (func $get_origin (export "get_origin") (result i64 i64 i64 i64) (call $origin (i32.const 32)) (call $result_word))
  (func $get_balance (export "get_balance") (param i64 i64 i64 i64) (result i64 i64 i64 i64)
    (call $balance (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 32)) (call $result_word))
  (func $hash_keccak (export "hash_keccak") (param $b i32) (result i64 i64 i64 i64)
    (call $keccak (i32.add (local.get $b) (i32.const 8)) (i32.load (local.get $b)) (i32.const 32)) (call $result_word))
  (func $hash_sha256 (export "hash_sha256") (param $b i32) (result i64 i64 i64 i64)
    (call $sha256 (i32.add (local.get $b) (i32.const 8)) (i32.load (local.get $b)) (i32.const 32)) (call $result_word))
  (func $hash_sha3 (export "hash_sha3") (param $b i32) (result i64 i64 i64 i64)
    (call $sha3 (i32.add (local.get $b) (i32.const 8)) (i32.load (local.get $b)) (i32.const 32)) (call $result_word))
  (func $hash_blake3 (export "hash_blake3") (param $b i32) (result i64 i64 i64 i64)
    (call $blake3 (i32.add (local.get $b) (i32.const 8)) (i32.load (local.get $b)) (i32.const 32)) (call $result_word))

  ;; Reverts when value came with the call.
  (func $no_value (export "no_value")
    (call $value (i32.const 32))
    (if (i64.ne (i64.or (i64.or (i64.load offset=32 (i32.const 0)) (i64.load offset=40 (i32.const 0)))
          (i64.or (i64.load offset=48 (i32.const 0)) (i64.load offset=56 (i32.const 0)))) (i64.const 0))
      (then (call $revert_empty))))

  (func $send (export "send") (param i64 i64 i64 i64 i64 i64 i64 i64)
    (if (i32.eqz (call $transfer (local.get 0) (local.get 1) (local.get 2) (local.get 3)
          (local.get 4) (local.get 5) (local.get 6) (local.get 7)))
      (then (call $revert_empty))))

  ;; result<list<u8>, failure> at $at, as a block; a failure goes on to our caller.
  (func $call_result (param $h i32) (param $at i32) (result i32)
    (if (i32.eqz (i32.load8_u (local.get $at)))
      (then (return (call $block_at (local.get $h) (i32.load offset=4 (local.get $at)) (i32.load offset=8 (local.get $at))))))
    (if (i32.eqz (i32.load8_u offset=4 (local.get $at)))
      (then (call $revert (i32.load offset=8 (local.get $at)) (i32.load offset=12 (local.get $at)))))
    (call $revert_empty)
    unreachable)

  ;; target, value, gas, data
  (func $do_call (export "do_call") (param i64 i64 i64 i64 i64 i64 i64 i64 i64) (param $b i32) (result i32) (local $h i32)
    (local.set $h (call $alloc (i32.const 8)))
    (call $call (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)
      (local.get 8) (i32.add (local.get $b) (i32.const 8)) (i32.load (local.get $b)) (i32.const 32))
    (call $call_result (local.get $h) (i32.const 32)))

  ;; target, gas, data
  (func $do_query (export "do_query") (param i64 i64 i64 i64 i64) (param $b i32) (result i32) (local $h i32)
    (local.set $h (call $alloc (i32.const 8)))
    (call $query (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
      (i32.add (local.get $b) (i32.const 8)) (i32.load (local.get $b)) (i32.const 32))
    (call $call_result (local.get $h) (i32.const 32)))

  ;; Runs a function of the contract itself under a limit. A failure that is a revert goes on to
  ;; our caller; anything else gives -1.
  (func $do_self_call (export "do_self_call") (param $gas i64) (param $b i32) (result i32) (local $h i32)
    (local.set $h (call $alloc (i32.const 8)))
    (call $self_call (local.get $gas) (i32.add (local.get $b) (i32.const 8)) (i32.load (local.get $b)) (i32.const 32))
    (if (i32.and (i32.eq (i32.load8_u offset=32 (i32.const 0)) (i32.const 1)) (i32.ne (i32.load8_u offset=36 (i32.const 0)) (i32.const 0)))
      (then (return (i32.const -1))))
    (call $call_result (local.get $h) (i32.const 32)))

  (func $do_invoke (export "do_invoke") (param $name i32) (param $b i32) (result i32) (local $h i32)
    (local.set $h (call $alloc (i32.const 8)))
    (call $invoke (i32.add (local.get $name) (i32.const 8)) (i32.load (local.get $name))
      (i32.add (local.get $b) (i32.const 8)) (i32.load (local.get $b)) (i32.const 32))
    (if (i32.load8_u offset=32 (i32.const 0))
      (then (call $revert (i32.load offset=36 (i32.const 0)) (i32.load offset=40 (i32.const 0)))))
    (call $block_at (local.get $h) (i32.load offset=36 (i32.const 0)) (i32.load offset=40 (i32.const 0))))

  ;; scheme, key, message, signature
  (func $do_verify (export "do_verify") (param $scheme i32) (param $k i32) (param $m i32) (param $s i32) (result i32)
    (call $verify (local.get $scheme)
      (i32.add (local.get $k) (i32.const 8)) (i32.load (local.get $k))
      (i32.add (local.get $m) (i32.const 8)) (i32.load (local.get $m))
      (i32.add (local.get $s) (i32.const 8)) (i32.load (local.get $s))))

  ;; kem, secret key, ciphertext
  (func $do_decapsulate (export "do_decapsulate") (param $kem i32) (param $k i32) (param $c i32) (result i32) (local $h i32)
    (local.set $h (call $alloc (i32.const 8)))
    (call $decapsulate (local.get $kem)
      (i32.add (local.get $k) (i32.const 8)) (i32.load (local.get $k))
      (i32.add (local.get $c) (i32.const 8)) (i32.load (local.get $c)) (i32.const 32))
    (if (result i32) (i32.load8_u offset=32 (i32.const 0))
      (then (call $block_at (local.get $h) (i32.load offset=36 (i32.const 0)) (i32.load offset=40 (i32.const 0))))
      (else (i32.const 0))))

  ;; Gas that an inference of the model will cost; reverts with no data when it is refused.
  (func $do_quote (export "do_quote") (param i64 i64 i64 i64) (result i64) (local $p i32)
    (local.set $p (call $alloc (i32.const 64)))
    (call $quote (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get $p))
    (if (i32.load8_u (local.get $p)) (then (call $revert_empty)))
    (i64.load offset=8 (local.get $p)))

  ;; ---- 256-bit arithmetic

  (func $add_wrap (export "add_wrap") (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $b0 i64) (param $b1 i64) (param $b2 i64) (param $b3 i64)
    (result i64 i64 i64 i64) (local $c i64)
    (local.set $a0 (i64.add (local.get $a0) (local.get $b0)))
    (local.set $c (i64.extend_i32_u (i64.lt_u (local.get $a0) (local.get $b0))))
    (local.set $a1 (i64.add (local.get $a1) (local.get $c)))
    (local.set $c (i64.extend_i32_u (i64.lt_u (local.get $a1) (local.get $c))))
    (local.set $a1 (i64.add (local.get $a1) (local.get $b1)))
    (local.set $c (i64.or (local.get $c) (i64.extend_i32_u (i64.lt_u (local.get $a1) (local.get $b1)))))
    (local.set $a2 (i64.add (local.get $a2) (local.get $c)))
    (local.set $c (i64.extend_i32_u (i64.lt_u (local.get $a2) (local.get $c))))
    (local.set $a2 (i64.add (local.get $a2) (local.get $b2)))
    (local.set $c (i64.or (local.get $c) (i64.extend_i32_u (i64.lt_u (local.get $a2) (local.get $b2)))))
    (local.get $a0) (local.get $a1) (local.get $a2)
    (i64.add (i64.add (local.get $a3) (local.get $b3)) (local.get $c)))

  (func $add (export "add") (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $b0 i64) (param $b1 i64) (param $b2 i64) (param $b3 i64)
    (result i64 i64 i64 i64) (local $c i64)
    (local.set $a0 (i64.add (local.get $a0) (local.get $b0)))
    (local.set $c (i64.extend_i32_u (i64.lt_u (local.get $a0) (local.get $b0))))
    (local.set $a1 (i64.add (local.get $a1) (local.get $c)))
    (local.set $c (i64.extend_i32_u (i64.lt_u (local.get $a1) (local.get $c))))
    (local.set $a1 (i64.add (local.get $a1) (local.get $b1)))
    (local.set $c (i64.or (local.get $c) (i64.extend_i32_u (i64.lt_u (local.get $a1) (local.get $b1)))))
    (local.set $a2 (i64.add (local.get $a2) (local.get $c)))
    (local.set $c (i64.extend_i32_u (i64.lt_u (local.get $a2) (local.get $c))))
    (local.set $a2 (i64.add (local.get $a2) (local.get $b2)))
    (local.set $c (i64.or (local.get $c) (i64.extend_i32_u (i64.lt_u (local.get $a2) (local.get $b2)))))
    (local.set $a3 (i64.add (local.get $a3) (local.get $c)))
    (local.set $c (i64.extend_i32_u (i64.lt_u (local.get $a3) (local.get $c))))
    (local.set $a3 (i64.add (local.get $a3) (local.get $b3)))
    (if (i64.ne (i64.or (local.get $c) (i64.extend_i32_u (i64.lt_u (local.get $a3) (local.get $b3)))) (i64.const 0))
      (then (call $panic_overflow)))
    (local.get $a0) (local.get $a1) (local.get $a2) (local.get $a3))

  (func $sub_wrap (export "sub_wrap") (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $b0 i64) (param $b1 i64) (param $b2 i64) (param $b3 i64)
    (result i64 i64 i64 i64) (local $c i64) (local $t i64)
    (i64.sub (local.get $a0) (local.get $b0))
    (local.set $c (i64.extend_i32_u (i64.lt_u (local.get $a0) (local.get $b0))))
    (local.set $t (i64.sub (local.get $a1) (local.get $b1)))
    (i64.sub (local.get $t) (local.get $c))
    (local.set $c (i64.extend_i32_u (i32.or (i64.lt_u (local.get $a1) (local.get $b1)) (i64.lt_u (local.get $t) (local.get $c)))))
    (local.set $t (i64.sub (local.get $a2) (local.get $b2)))
    (i64.sub (local.get $t) (local.get $c))
    (local.set $c (i64.extend_i32_u (i32.or (i64.lt_u (local.get $a2) (local.get $b2)) (i64.lt_u (local.get $t) (local.get $c)))))
    (i64.sub (i64.sub (local.get $a3) (local.get $b3)) (local.get $c)))

  (func $sub (export "sub") (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $b0 i64) (param $b1 i64) (param $b2 i64) (param $b3 i64)
    (result i64 i64 i64 i64) (local $c i64) (local $t i64)
    (i64.sub (local.get $a0) (local.get $b0))
    (local.set $c (i64.extend_i32_u (i64.lt_u (local.get $a0) (local.get $b0))))
    (local.set $t (i64.sub (local.get $a1) (local.get $b1)))
    (i64.sub (local.get $t) (local.get $c))
    (local.set $c (i64.extend_i32_u (i32.or (i64.lt_u (local.get $a1) (local.get $b1)) (i64.lt_u (local.get $t) (local.get $c)))))
    (local.set $t (i64.sub (local.get $a2) (local.get $b2)))
    (i64.sub (local.get $t) (local.get $c))
    (local.set $c (i64.extend_i32_u (i32.or (i64.lt_u (local.get $a2) (local.get $b2)) (i64.lt_u (local.get $t) (local.get $c)))))
    (local.set $t (i64.sub (local.get $a3) (local.get $b3)))
    (i64.sub (local.get $t) (local.get $c))
    (if (i32.or (i64.lt_u (local.get $a3) (local.get $b3)) (i64.lt_u (local.get $t) (local.get $c)))
      (then (call $panic_overflow))))

  ;; acc + carry + a·b, as low and high limb.
  (func $mac (param $acc i64) (param $carry i64) (param $a i64) (param $b i64) (result i64 i64)
    (local $al i64) (local $ah i64) (local $bl i64) (local $bh i64) (local $ll i64) (local $m i64) (local $m2 i64) (local $lo i64) (local $hi i64)
    (local.set $al (i64.and (local.get $a) (i64.const 0xffffffff))) (local.set $ah (i64.shr_u (local.get $a) (i64.const 32)))
    (local.set $bl (i64.and (local.get $b) (i64.const 0xffffffff))) (local.set $bh (i64.shr_u (local.get $b) (i64.const 32)))
    (local.set $ll (i64.mul (local.get $al) (local.get $bl)))
    (local.set $m (i64.add (i64.mul (local.get $ah) (local.get $bl)) (i64.shr_u (local.get $ll) (i64.const 32))))
    (local.set $m2 (i64.add (i64.mul (local.get $al) (local.get $bh)) (i64.and (local.get $m) (i64.const 0xffffffff))))
    (local.set $hi (i64.add (i64.mul (local.get $ah) (local.get $bh))
      (i64.add (i64.shr_u (local.get $m) (i64.const 32)) (i64.shr_u (local.get $m2) (i64.const 32)))))
    (local.set $lo (i64.mul (local.get $a) (local.get $b)))
    (local.set $lo (i64.add (local.get $lo) (local.get $acc)))
    (local.set $hi (i64.add (local.get $hi) (i64.extend_i32_u (i64.lt_u (local.get $lo) (local.get $acc)))))
    (local.set $lo (i64.add (local.get $lo) (local.get $carry)))
    (local.set $hi (i64.add (local.get $hi) (i64.extend_i32_u (i64.lt_u (local.get $lo) (local.get $carry)))))
    (local.get $lo) (local.get $hi))

  ;; Product mod 2^256 and whether it overflowed.
  (func $mul_full (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $b0 i64) (param $b1 i64) (param $b2 i64) (param $b3 i64)
    (result i64 i64 i64 i64 i32)
    (local $r0 i64) (local $r1 i64) (local $r2 i64) (local $r3 i64) (local $c i64) (local $o i64)
    (call $mac (i64.const 0) (i64.const 0) (local.get $a0) (local.get $b0)) (local.set $c) (local.set $r0)
    (if (i64.eqz (i64.or (i64.or (i64.or (local.get $a1) (local.get $a2)) (i64.or (local.get $a3) (local.get $b1))) (i64.or (local.get $b2) (local.get $b3))))
      (then (return (local.get $r0) (local.get $c) (i64.const 0) (i64.const 0) (i32.const 0))))
    (call $mac (i64.const 0) (local.get $c) (local.get $a0) (local.get $b1)) (local.set $c) (local.set $r1)
    (call $mac (i64.const 0) (local.get $c) (local.get $a0) (local.get $b2)) (local.set $c) (local.set $r2)
    (call $mac (i64.const 0) (local.get $c) (local.get $a0) (local.get $b3)) (local.set $o) (local.set $r3)
    (if (i64.ne (local.get $a1) (i64.const 0)) (then
      (call $mac (local.get $r1) (i64.const 0) (local.get $a1) (local.get $b0)) (local.set $c) (local.set $r1)
      (call $mac (local.get $r2) (local.get $c) (local.get $a1) (local.get $b1)) (local.set $c) (local.set $r2)
      (call $mac (local.get $r3) (local.get $c) (local.get $a1) (local.get $b2)) (local.set $c) (local.set $r3)
      (local.set $o (i64.or (local.get $o) (i64.or (local.get $c) (local.get $b3))))))
    (if (i64.ne (local.get $a2) (i64.const 0)) (then
      (call $mac (local.get $r2) (i64.const 0) (local.get $a2) (local.get $b0)) (local.set $c) (local.set $r2)
      (call $mac (local.get $r3) (local.get $c) (local.get $a2) (local.get $b1)) (local.set $c) (local.set $r3)
      (local.set $o (i64.or (local.get $o) (i64.or (local.get $c) (i64.or (local.get $b2) (local.get $b3)))))))
    (if (i64.ne (local.get $a3) (i64.const 0)) (then
      (call $mac (local.get $r3) (i64.const 0) (local.get $a3) (local.get $b0)) (local.set $c) (local.set $r3)
      (local.set $o (i64.or (local.get $o) (i64.or (local.get $c) (i64.or (local.get $b1) (i64.or (local.get $b2) (local.get $b3))))))))
    (local.get $r0) (local.get $r1) (local.get $r2) (local.get $r3) (i64.ne (local.get $o) (i64.const 0)))

  (func $mul (export "mul") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64)
    (call $mul_full (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7))
    (if (then (call $panic_overflow))))

  (func $mul_wrap (export "mul_wrap") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64)
    (call $mul_full (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7))
    drop)

  (func $div (export "div") (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $b0 i64) (param $b1 i64) (param $b2 i64) (param $b3 i64) (result i64 i64 i64 i64)
    (if (i64.eqz (i64.or (i64.or (local.get $b1) (local.get $b2)) (local.get $b3)))
      (then
        (if (i64.eqz (local.get $b0)) (then (call $panic (i32.const 0x12))))
        (if (i64.eqz (i64.or (i64.or (local.get $a1) (local.get $a2)) (local.get $a3)))
          (then (return (i64.div_u (local.get $a0) (local.get $b0)) (i64.const 0) (i64.const 0) (i64.const 0))))))
    (call $host_div (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (i32.const 32))
    (call $result_word))

  (func $rem (export "rem") (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $b0 i64) (param $b1 i64) (param $b2 i64) (param $b3 i64) (result i64 i64 i64 i64)
    (if (i64.eqz (i64.or (i64.or (local.get $b1) (local.get $b2)) (local.get $b3)))
      (then
        (if (i64.eqz (local.get $b0)) (then (call $panic (i32.const 0x12))))
        (if (i64.eqz (i64.or (i64.or (local.get $a1) (local.get $a2)) (local.get $a3)))
          (then (return (i64.rem_u (local.get $a0) (local.get $b0)) (i64.const 0) (i64.const 0) (i64.const 0))))))
    (call $host_rem (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (i32.const 32))
    (call $result_word))

  (func $neg_wrap (export "neg_wrap") (param i64 i64 i64 i64) (result i64 i64 i64 i64)
    (call $sub_wrap (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (local.get 0) (local.get 1) (local.get 2) (local.get 3)))

  ;; Checked negation of a signed word.
  (func $neg (export "neg") (param i64 i64 i64 i64) (result i64 i64 i64 i64)
    (if (i64.eqz (i64.or (i64.or (local.get 0) (local.get 1)) (i64.or (local.get 2) (i64.xor (local.get 3) (i64.const 0x8000000000000000)))))
      (then (call $panic_overflow)))
    (call $neg_wrap (local.get 0) (local.get 1) (local.get 2) (local.get 3)))

  (func $abs (param i64 i64 i64 i64) (result i64 i64 i64 i64)
    (if (i64.lt_s (local.get 3) (i64.const 0))
      (then (return (call $neg_wrap (local.get 0) (local.get 1) (local.get 2) (local.get 3)))))
    (local.get 0) (local.get 1) (local.get 2) (local.get 3))

  (func $neg_if (param $n i32) (param i64 i64 i64 i64) (result i64 i64 i64 i64)
    (if (local.get $n)
      (then (return (call $neg_wrap (local.get 1) (local.get 2) (local.get 3) (local.get 4)))))
    (local.get 1) (local.get 2) (local.get 3) (local.get 4))

  (func $sadd (export "sadd") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64) (local $t i64)
    (call $add_wrap (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7))
    (local.tee $t)
    (if (i64.lt_s (i64.and (i64.xor (local.get 3) (local.get $t)) (i64.xor (local.get 7) (local.get $t))) (i64.const 0))
      (then (call $panic_overflow))))

  (func $ssub (export "ssub") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64) (local $t i64)
    (call $sub_wrap (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7))
    (local.tee $t)
    (if (i64.lt_s (i64.and (i64.xor (local.get 3) (local.get 7)) (i64.xor (local.get 3) (local.get $t))) (i64.const 0))
      (then (call $panic_overflow))))

  (func $smul (export "smul") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64)
    (local $n i32) (local $r0 i64) (local $r1 i64) (local $r2 i64) (local $r3 i64) (local $o i32)
    (local.set $n (i64.lt_s (i64.xor (local.get 3) (local.get 7)) (i64.const 0)))
    (call $abs (local.get 0) (local.get 1) (local.get 2) (local.get 3))
    (call $abs (local.get 4) (local.get 5) (local.get 6) (local.get 7))
    (call $mul_full) (local.set $o) (local.set $r3) (local.set $r2) (local.set $r1) (local.set $r0)
    ;; The magnitude may be 2^255 when the product is negative.
    (if (i32.or (local.get $o) (i32.and (i64.lt_s (local.get $r3) (i64.const 0))
          (i32.eqz (i32.and (local.get $n) (i64.eqz (i64.or (i64.or (local.get $r0) (local.get $r1))
            (i64.or (local.get $r2) (i64.xor (local.get $r3) (i64.const 0x8000000000000000)))))))))
      (then (call $panic_overflow)))
    (call $neg_if (local.get $n) (local.get $r0) (local.get $r1) (local.get $r2) (local.get $r3)))

  (func $sdiv_wrap (export "sdiv_wrap") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64)
    (i64.lt_s (i64.xor (local.get 3) (local.get 7)) (i64.const 0))
    (call $abs (local.get 0) (local.get 1) (local.get 2) (local.get 3))
    (call $abs (local.get 4) (local.get 5) (local.get 6) (local.get 7))
    (call $div)
    (call $neg_if))

  (func $sdiv (export "sdiv") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64)
    (if (i32.and
          (i64.eqz (i64.or (i64.or (local.get 0) (local.get 1)) (i64.or (local.get 2) (i64.xor (local.get 3) (i64.const 0x8000000000000000)))))
          (i64.eq (i64.and (i64.and (local.get 4) (local.get 5)) (i64.and (local.get 6) (local.get 7))) (i64.const -1)))
      (then (call $panic_overflow)))
    (call $sdiv_wrap (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)))

  (func $srem (export "srem") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64)
    (i64.lt_s (local.get 3) (i64.const 0))
    (call $abs (local.get 0) (local.get 1) (local.get 2) (local.get 3))
    (call $abs (local.get 4) (local.get 5) (local.get 6) (local.get 7))
    (call $rem)
    (call $neg_if))

  ;; a^b for an exponent of one limb; overflow panics.
  (func $pow (export "pow") (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $b0 i64) (param $b1 i64) (param $b2 i64) (param $b3 i64)
    (result i64 i64 i64 i64) (local $r0 i64) (local $r1 i64) (local $r2 i64) (local $r3 i64)
    (local.set $r0 (i64.const 1))
    ;; 0 and 1 to any power; everything else overflows long before 2^64.
    (if (i64.eqz (i64.or (i64.or (local.get $a1) (local.get $a2)) (i64.or (local.get $a3) (i64.shr_u (local.get $a0) (i64.const 1)))))
      (then
        (if (i64.eqz (i64.or (i64.or (local.get $b0) (local.get $b1)) (i64.or (local.get $b2) (local.get $b3))))
          (then (return (i64.const 1) (i64.const 0) (i64.const 0) (i64.const 0))))
        (return (local.get $a0) (i64.const 0) (i64.const 0) (i64.const 0))))
    (if (i64.ne (i64.or (local.get $b1) (i64.or (local.get $b2) (local.get $b3))) (i64.const 0)) (then (call $panic_overflow)))
    (block $done
      (loop $next
        (br_if $done (i64.eqz (local.get $b0)))
        (if (i32.wrap_i64 (i64.and (local.get $b0) (i64.const 1)))
          (then
            (call $mul (local.get $r0) (local.get $r1) (local.get $r2) (local.get $r3) (local.get $a0) (local.get $a1) (local.get $a2) (local.get $a3))
            (local.set $r3) (local.set $r2) (local.set $r1) (local.set $r0)))
        (local.set $b0 (i64.shr_u (local.get $b0) (i64.const 1)))
        (br_if $done (i64.eqz (local.get $b0)))
        (call $mul (local.get $a0) (local.get $a1) (local.get $a2) (local.get $a3) (local.get $a0) (local.get $a1) (local.get $a2) (local.get $a3))
        (local.set $a3) (local.set $a2) (local.set $a1) (local.set $a0)
        (br $next)))
    (local.get $r0) (local.get $r1) (local.get $r2) (local.get $r3))

  (func $pow_wrap (export "pow_wrap") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64)
    (call $host_exp (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (i32.const 32))
    (call $result_word))

  ;; Signed base, unsigned exponent.
  (func $spow (export "spow") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64) (local $n i32) (local $r0 i64) (local $r1 i64) (local $r2 i64) (local $r3 i64)
    (local.set $n (i32.and (i64.lt_s (local.get 3) (i64.const 0)) (i32.wrap_i64 (i64.and (local.get 4) (i64.const 1)))))
    (call $abs (local.get 0) (local.get 1) (local.get 2) (local.get 3))
    (local.get 4) (local.get 5) (local.get 6) (local.get 7)
    (call $pow) (local.set $r3) (local.set $r2) (local.set $r1) (local.set $r0)
    (if (i32.and (i64.lt_s (local.get $r3) (i64.const 0))
          (i32.eqz (i32.and (local.get $n) (i64.eqz (i64.or (i64.or (local.get $r0) (local.get $r1))
            (i64.or (local.get $r2) (i64.xor (local.get $r3) (i64.const 0x8000000000000000))))))))
      (then (call $panic_overflow)))
    (call $neg_if (local.get $n) (local.get $r0) (local.get $r1) (local.get $r2) (local.get $r3)))

  (func $lt (export "lt") (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $b0 i64) (param $b1 i64) (param $b2 i64) (param $b3 i64) (result i32)
    (if (i64.ne (local.get $a3) (local.get $b3)) (then (return (i64.lt_u (local.get $a3) (local.get $b3)))))
    (if (i64.ne (local.get $a2) (local.get $b2)) (then (return (i64.lt_u (local.get $a2) (local.get $b2)))))
    (if (i64.ne (local.get $a1) (local.get $b1)) (then (return (i64.lt_u (local.get $a1) (local.get $b1)))))
    (i64.lt_u (local.get $a0) (local.get $b0)))

  (func $slt (export "slt") (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $b0 i64) (param $b1 i64) (param $b2 i64) (param $b3 i64) (result i32)
    (if (i64.ne (local.get $a3) (local.get $b3)) (then (return (i64.lt_s (local.get $a3) (local.get $b3)))))
    (if (i64.ne (local.get $a2) (local.get $b2)) (then (return (i64.lt_u (local.get $a2) (local.get $b2)))))
    (if (i64.ne (local.get $a1) (local.get $b1)) (then (return (i64.lt_u (local.get $a1) (local.get $b1)))))
    (i64.lt_u (local.get $a0) (local.get $b0)))

  (func $eq (export "eq") (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $b0 i64) (param $b1 i64) (param $b2 i64) (param $b3 i64) (result i32)
    (i64.eqz (i64.or
      (i64.or (i64.xor (local.get $a0) (local.get $b0)) (i64.xor (local.get $a1) (local.get $b1)))
      (i64.or (i64.xor (local.get $a2) (local.get $b2)) (i64.xor (local.get $a3) (local.get $b3))))))

  ;; a·2^$n mod 2^256; $big tells that the shift is 256 or more.
  (func $shl (export "shl") (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $n i64) (result i64 i64 i64 i64) (local $k i64)
    (if (i64.ge_u (local.get $n) (i64.const 256)) (then (return (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0))))
    (block $done
      (loop $next
        (br_if $done (i64.lt_u (local.get $n) (i64.const 64)))
        (local.set $a3 (local.get $a2)) (local.set $a2 (local.get $a1)) (local.set $a1 (local.get $a0)) (local.set $a0 (i64.const 0))
        (local.set $n (i64.sub (local.get $n) (i64.const 64)))
        (br $next)))
    (if (i64.eqz (local.get $n)) (then (return (local.get $a0) (local.get $a1) (local.get $a2) (local.get $a3))))
    (local.set $k (i64.sub (i64.const 64) (local.get $n)))
    (i64.shl (local.get $a0) (local.get $n))
    (i64.or (i64.shl (local.get $a1) (local.get $n)) (i64.shr_u (local.get $a0) (local.get $k)))
    (i64.or (i64.shl (local.get $a2) (local.get $n)) (i64.shr_u (local.get $a1) (local.get $k)))
    (i64.or (i64.shl (local.get $a3) (local.get $n)) (i64.shr_u (local.get $a2) (local.get $k))))

  ;; a / 2^$n rounded down; $s is what comes in from above: 0, or -1 for negative numbers.
  (func $shift_right (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $n i64) (param $s i64) (result i64 i64 i64 i64) (local $k i64)
    (if (i64.ge_u (local.get $n) (i64.const 256)) (then (return (local.get $s) (local.get $s) (local.get $s) (local.get $s))))
    (block $done
      (loop $next
        (br_if $done (i64.lt_u (local.get $n) (i64.const 64)))
        (local.set $a0 (local.get $a1)) (local.set $a1 (local.get $a2)) (local.set $a2 (local.get $a3)) (local.set $a3 (local.get $s))
        (local.set $n (i64.sub (local.get $n) (i64.const 64)))
        (br $next)))
    (if (i64.eqz (local.get $n)) (then (return (local.get $a0) (local.get $a1) (local.get $a2) (local.get $a3))))
    (local.set $k (i64.sub (i64.const 64) (local.get $n)))
    (i64.or (i64.shr_u (local.get $a0) (local.get $n)) (i64.shl (local.get $a1) (local.get $k)))
    (i64.or (i64.shr_u (local.get $a1) (local.get $n)) (i64.shl (local.get $a2) (local.get $k)))
    (i64.or (i64.shr_u (local.get $a2) (local.get $n)) (i64.shl (local.get $a3) (local.get $k)))
    (i64.or (i64.shr_u (local.get $a3) (local.get $n)) (i64.shl (local.get $s) (local.get $k))))

  (func $shr (export "shr") (param i64 i64 i64 i64 i64) (result i64 i64 i64 i64)
    (call $shift_right (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (i64.const 0)))

  (func $sar (export "sar") (param i64 i64 i64 i64 i64) (result i64 i64 i64 i64)
    (call $shift_right (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (i64.shr_s (local.get 3) (i64.const 63))))

  ;; A shift distance as one limb: anything past 255 becomes 256.
  (func $distance (export "distance") (param i64 i64 i64 i64) (result i64)
    (select (local.get 0) (i64.const 256)
      (i32.and (i64.eqz (i64.or (local.get 1) (i64.or (local.get 2) (local.get 3)))) (i64.lt_u (local.get 0) (i64.const 256)))))

  (func $check128 (export "check128") (param i64 i64 i64 i64) (result i64 i64 i64 i64)
    (if (i64.ne (i64.or (local.get 2) (local.get 3)) (i64.const 0)) (then (call $panic_overflow)))
    (local.get 0) (local.get 1) (local.get 2) (local.get 3))

  (func $check128s (export "check128s") (param i64 i64 i64 i64) (result i64 i64 i64 i64)
    (if (i32.or (i64.ne (local.get 2) (i64.shr_s (local.get 1) (i64.const 63))) (i64.ne (local.get 3) (i64.shr_s (local.get 1) (i64.const 63))))
      (then (call $panic_overflow)))
    (local.get 0) (local.get 1) (local.get 2) (local.get 3))

  ;; A word as an index or length; one past every possible length when it is too large.
  (func $index (export "index") (param i64 i64 i64 i64) (result i64)
    (select (local.get 0) (i64.const -1) (i64.eqz (i64.or (local.get 1) (i64.or (local.get 2) (local.get 3))))))

  ;; Checked 64-bit products.
  (func $mul64 (export "mul64") (param $a i64) (param $b i64) (result i64) (local $r i64)
    (local.set $r (i64.mul (local.get $a) (local.get $b)))
    (if (i64.ne (i64.shr_u (i64.or (local.get $a) (local.get $b)) (i64.const 32)) (i64.const 0))
      (then (if (i64.ne (local.get $a) (i64.const 0))
        (then (if (i64.ne (i64.div_u (local.get $r) (local.get $a)) (local.get $b)) (then (call $panic_overflow)))))))
    (local.get $r))

  (func $mul64s (export "mul64s") (param $a i64) (param $b i64) (result i64) (local $r i64)
    (local.set $r (i64.mul (local.get $a) (local.get $b)))
    (if (i64.ne (local.get $a) (i64.const 0))
      (then
        (if (i32.or
              (i32.and (i64.eq (local.get $a) (i64.const -1)) (i64.eq (local.get $b) (i64.const 0x8000000000000000)))
              (i32.and (i64.eq (local.get $b) (i64.const -1)) (i64.eq (local.get $a) (i64.const 0x8000000000000000))))
          (then (call $panic_overflow)))
        (if (i64.ne (i64.div_s (local.get $r) (local.get $a)) (local.get $b)) (then (call $panic_overflow)))))
    (local.get $r))

  (func $addmod (export "addmod") (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64)
    (if (i64.eqz (i64.or (i64.or (local.get 8) (local.get 9)) (i64.or (local.get 10) (local.get 11)))) (then (call $panic (i32.const 0x12))))
    (call $host_addmod (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (local.get 8) (local.get 9) (local.get 10) (local.get 11) (i32.const 32)) (call $result_word))

  (func $mulmod (export "mulmod") (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64)
    (if (i64.eqz (i64.or (i64.or (local.get 8) (local.get 9)) (i64.or (local.get 10) (local.get 11)))) (then (call $panic (i32.const 0x12))))
    (call $host_mulmod (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (local.get 8) (local.get 9) (local.get 10) (local.get 11) (i32.const 32)) (call $result_word))
)
