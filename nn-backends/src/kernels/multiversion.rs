//! Plain loops, compiled once for each vector width.

/// Defines `$name(isa, …)`, which runs `$inner(…)` compiled for the instruction set. The compiler may widen vectors, but
/// never reorders or fuses arithmetic.
macro_rules! compile_for_each_isa {
    (fn $name:ident $(<$($f:ident: $bound:path),+>)? ($($arg:ident: $ty:ty),*) $(-> $result:ty)? = $inner:ident) => {
        fn $name $(<$($f: $bound),+>)? (isa: Isa, $($arg: $ty),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                unsafe fn avx2 $(<$($f: $bound),+>)? ($($arg: $ty),*) $(-> $result)? {
                    $inner($($arg),*)
                }
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
                unsafe fn avx512 $(<$($f: $bound),+>)? ($($arg: $ty),*) $(-> $result)? {
                    $inner($($arg),*)
                }
                if isa == Isa::Avx512Vnni && isa.is_available() {
                    // SAFETY: the machine has just said that it has the instruction set.
                    return unsafe { avx512($($arg),*) };
                }
                if matches!(isa, Isa::Avx2 | Isa::AvxVnni) && isa.is_available() {
                    // SAFETY: as above.
                    return unsafe { avx2($($arg),*) };
                }
            }
            let _ = isa;
            $inner($($arg),*)
        }
    };
}

pub(crate) use compile_for_each_isa;
