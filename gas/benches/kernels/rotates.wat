;; Rounds in the manner of SHA-256 over a 64-word schedule: rotates, logic, additions.
(module
  (memory (export "memory") 1)
  (func $expand (local $t i32) (local $x i32) (local $y i32)
    (local.set $t (i32.const 64))
    (loop $next
      (local.set $x (i32.load (i32.sub (local.get $t) (i32.const 60))))
      (local.set $y (i32.load (i32.sub (local.get $t) (i32.const 8))))
      (i32.store (local.get $t)
        (i32.add
          (i32.add
            (i32.load (i32.sub (local.get $t) (i32.const 64)))
            (i32.xor (i32.xor
                (i32.rotr (local.get $x) (i32.const 7))
                (i32.rotr (local.get $x) (i32.const 18)))
              (i32.shr_u (local.get $x) (i32.const 3))))
          (i32.add
            (i32.load (i32.sub (local.get $t) (i32.const 28)))
            (i32.xor (i32.xor
                (i32.rotr (local.get $y) (i32.const 17))
                (i32.rotr (local.get $y) (i32.const 19)))
              (i32.shr_u (local.get $y) (i32.const 10))))))
      (br_if $next
        (i32.lt_u
          (local.tee $t (i32.add (local.get $t) (i32.const 4)))
          (i32.const 256)))))
  (func $rounds (param $a i32) (result i32)
    (local $b i32) (local $c i32) (local $d i32) (local $e i32)
    (local $f i32) (local $g i32) (local $h i32) (local $t i32) (local $u i32) (local $v i32)
    (local.set $b (i32.const 0x6a09e667)) (local.set $c (i32.const 0xbb67ae85))
    (local.set $d (i32.const 0x3c6ef372)) (local.set $e (i32.const 0xa54ff53a))
    (local.set $f (i32.const 0x510e527f)) (local.set $g (i32.const 0x9b05688c))
    (local.set $h (i32.const 0x1f83d9ab))
    (loop $next
      (local.set $u
        (i32.add (i32.load (local.get $t))
          (i32.add (local.get $h)
            (i32.add
              (i32.xor (i32.rotr (local.get $e) (i32.const 6))
                (i32.xor (i32.rotr (local.get $e) (i32.const 11))
                  (i32.rotr (local.get $e) (i32.const 25))))
              (i32.xor (i32.and (local.get $e) (local.get $f))
                (i32.and (i32.xor (local.get $e) (i32.const -1)) (local.get $g)))))))
      (local.set $v
        (i32.add
          (i32.xor (i32.rotr (local.get $a) (i32.const 2))
            (i32.xor (i32.rotr (local.get $a) (i32.const 13))
              (i32.rotr (local.get $a) (i32.const 22))))
          (i32.xor (i32.and (local.get $a) (local.get $b))
            (i32.xor (i32.and (local.get $a) (local.get $c))
              (i32.and (local.get $b) (local.get $c))))))
      (local.set $h (local.get $g)) (local.set $g (local.get $f))
      (local.set $f (local.get $e))
      (local.set $e (i32.add (local.get $d) (local.get $u)))
      (local.set $d (local.get $c)) (local.set $c (local.get $b))
      (local.set $b (local.get $a))
      (local.set $a (i32.add (local.get $u) (local.get $v)))
      (br_if $next
        (i32.lt_u
          (local.tee $t (i32.add (local.get $t) (i32.const 4)))
          (i32.const 256))))
    (i32.add (local.get $a) (local.get $e)))
  (func (export "run") (param $n i32) (result i64)
    (local $digest i32)
    (local.set $digest (i32.const 0x12345678))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (i32.store (i32.const 0) (local.get $digest))
        (i32.store (i32.const 32) (local.get $n))
        (call $expand)
        (local.set $digest (call $rounds (local.get $digest)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (i64.extend_i32_u (local.get $digest))))
