;; Modular exponentiation by squaring with 64-bit remainders: division bound.
(module
  (func $mulmod (param $a i64) (param $b i64) (param $m i64) (result i64)
    (i64.rem_u (i64.mul (local.get $a) (local.get $b)) (local.get $m)))
  (func $powmod (param $base i64) (param $exponent i64) (param $m i64) (result i64)
    (local $result i64)
    (local.set $result (i64.const 1))
    (block $done
      (loop $bits
        (br_if $done (i64.eqz (local.get $exponent)))
        (if (i64.ne (i64.and (local.get $exponent) (i64.const 1)) (i64.const 0))
          (then
            (local.set $result
              (call $mulmod (local.get $result) (local.get $base) (local.get $m)))))
        (local.set $base (call $mulmod (local.get $base) (local.get $base) (local.get $m)))
        (local.set $exponent (i64.shr_u (local.get $exponent) (i64.const 1)))
        (br $bits)))
    (local.get $result))
  (func (export "run") (param $n i32) (result i64)
    (local $sum i64)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum
          (i64.add (local.get $sum)
            (call $powmod
              (i64.extend_i32_u (local.get $n))
              (i64.const 0x1234567) (i64.const 4294967291))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
