;; Copies memory word by word, then block by block, and sums it up.
(module
  (memory (export "memory") 4)
  (func $words (param $to i32) (param $from i32) (param $bytes i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $from) (local.get $bytes)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (i64.store (local.get $to) (i64.load (local.get $from)))
        (local.set $to (i32.add (local.get $to) (i32.const 8)))
        (local.set $from (i32.add (local.get $from) (i32.const 8)))
        (br $next))))
  (func (export "run") (param $n i32) (result i64)
    (local $i i32) (local $sum i64)
    (i64.store (i32.const 0) (i64.const 0x0123456789abcdef))
    (block $done
      (loop $turn
        (br_if $done (i32.eqz (local.get $n)))
        (i64.store (i32.const 8) (i64.extend_i32_u (local.get $n)))
        (call $words (i32.const 65536) (i32.const 0) (i32.const 16384))
        (local.set $i (i32.const 0))
        (loop $blocks
          (memory.copy
            (i32.add (i32.const 131072) (local.get $i))
            (i32.add (i32.const 65536) (local.get $i))
            (i32.const 256))
          (br_if $blocks
            (i32.lt_u
              (local.tee $i (i32.add (local.get $i) (i32.const 256)))
              (i32.const 16384))))
        (local.set $sum
          (i64.add (local.get $sum)
            (i64.add (i64.load (i32.const 131072)) (i64.load (i32.const 131080)))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $turn)))
    (local.get $sum)))
