//! Operators that move elements, and those that fold an axis.

use super::super::draft::File;
use super::super::onnx::{I32, I64, U8, int, ints};
use super::{Case, i, l};

const GRID: &[i64] = &[2, 3];

/// An operator on the grid of 1 to 6 with places or sizes, which are constants.
fn moved<'a>(op: &'a str, name: &str, places: &[&[i64]]) -> Case<'a> {
    let case = Case::new(op, name, "Elements move and do not change.");
    let case = case.input(U8, GRID, (1..=6).collect());
    places.iter().fold(case, |case, values| {
        case.constant(I64, &[values.len() as i64], &l(values))
    })
}

pub fn moves(file: &mut File) {
    let grid: Vec<u8> = (1..=6).collect();
    moved("Transpose", "Transpose", &[])
        .attribute(ints("perm", &[1, 0]))
        .gives(file, U8, &[3, 2], vec![1, 4, 2, 5, 3, 6]);
    moved("Reshape", "Reshape", &[&[3, 2]]).gives(file, U8, &[3, 2], grid.clone());
    moved("Reshape", "Reshape with -1", &[&[-1]]).gives(file, U8, &[6], grid.clone());
    moved("Flatten", "Flatten", &[])
        .attribute(int("axis", 0))
        .gives(file, U8, &[1, 6], grid.clone());
    moved("Unsqueeze", "Unsqueeze", &[&[0]]).gives(file, U8, &[1, 2, 3], grid.clone());
    moved("Concat", "Concat with a constant", &[])
        .constant(U8, &[1, 3], &[7, 8, 9])
        .attribute(int("axis", 0))
        .gives(file, U8, &[3, 3], (1..=9).collect());
    moved("Slice", "Slice", &[&[1], &[3], &[1]]).gives(file, U8, &[2, 2], vec![2, 3, 5, 6]);
    moved("Slice", "Slice backwards", &[&[-1], &[-4], &[1], &[-1]]).gives(
        file,
        U8,
        GRID,
        vec![3, 2, 1, 6, 5, 4],
    );
    moved("Gather", "Gather of columns", &[&[2, 0]])
        .attribute(int("axis", 1))
        .gives(file, U8, &[2, 2], vec![3, 1, 6, 4]);
    moved("Expand", "Expand", &[&[2, 1, 1]]).gives(
        file,
        U8,
        &[2, 2, 3],
        [&grid[..], &grid].concat(),
    );
    moved("Tile", "Tile", &[&[1, 2]]).gives(
        file,
        U8,
        &[2, 6],
        vec![1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6],
    );
    moved("Pad", "Pad", &[&[1, 0, 0, 1]])
        .constant(U8, &[], &[9])
        .gives(file, U8, &[3, 4], vec![9, 9, 9, 9, 1, 2, 3, 9, 4, 5, 6, 9]);
}

pub fn reductions(file: &mut File) {
    let reduced = |op| {
        Case::new(op, format!("{op} of i32"), "Over the last axis.").input(
            I32,
            GRID,
            i(&[-1, 2, 3, 4, 5, 6]),
        )
    };
    for (op, expected) in [("ReduceMax", [3i32, 6]), ("ReduceMin", [-1, 4])] {
        reduced(op)
            .attribute(ints("axes", &[1]))
            .gives(file, I32, &[2, 1], i(&expected));
    }
    reduced("ReduceSum")
        .constant(I64, &[1], &l(&[1]))
        .gives(file, I32, &[2, 1], i(&[4, 15]));
    for (op, expected) in [("ArgMax", [0i64, 2]), ("ArgMin", [1, 0])] {
        Case::new(op, op, "The first of equal elements.")
            .input(I32, GRID, i(&[3, -2, 3, 4, 5, 6]))
            .attribute(int("axis", 1))
            .gives(file, I64, &[2, 1], l(&expected));
    }
}
