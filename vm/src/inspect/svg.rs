//! A flame graph of gas as SVG: width is gas, depth is the call stack.

use std::collections::BTreeMap;
use std::fmt::Write;

const WIDTH: f64 = 1200.0;
const ROW: usize = 18;

/// A frame of the graph with what runs inside of it.
#[derive(Default)]
struct Node {
    own: u64,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn total(&self) -> u64 {
        self.children
            .values()
            .fold(self.own, |sum, child| sum.saturating_add(child.total()))
    }

    fn depth(&self) -> usize {
        1 + self.children.values().map(Node::depth).max().unwrap_or(0)
    }
}

/// Draws a flame graph. It needs no script; hovering shows a frame's name and gas.
///
/// `stacks` are gas by stack, as [`FoldedStacks`](super::FoldedStacks) gives them.
pub fn flame_graph_svg(stacks: &BTreeMap<String, u64>) -> String {
    let mut root = Node::default();
    for (stack, gas) in stacks {
        let mut node = &mut root;
        for frame in stack.split(';') {
            node = node.children.entry(frame.to_owned()).or_default();
        }
        node.own = node.own.saturating_add(*gas);
    }
    let (total, rows) = (root.total().max(1), root.depth());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{}\" \
         font-family=\"monospace\" font-size=\"11\">\n",
        rows * ROW
    );
    let scale = WIDTH / total as f64;
    draw(&mut svg, "all gas", &root, 0.0, 0, scale);
    svg += "</svg>\n";
    svg
}

fn draw(svg: &mut String, name: &str, node: &Node, left: f64, row: usize, scale: f64) {
    let gas = node.total();
    let width = gas as f64 * scale;
    if width < 0.2 {
        return;
    }
    let name: String = name
        .chars()
        .filter(|c| !matches!(c, '<' | '>' | '&' | '"'))
        .collect();
    let hue = name
        .bytes()
        .fold(0u32, |h, b| h.wrapping_mul(31).wrapping_add(b.into()))
        % 50;
    // About seven pixels a character.
    let label: String = name.chars().take((width / 7.0) as usize).collect();
    let y = row * ROW;
    // Writing to a string does not fail.
    let _ = writeln!(
        svg,
        "<g><title>{name}: {gas} gas</title><rect x=\"{left:.1}\" y=\"{y}\" width=\"{width:.1}\" \
         height=\"{}\" fill=\"hsl({hue},80%,65%)\"/><text x=\"{:.1}\" y=\"{}\">{label}</text></g>",
        ROW - 1,
        left + 2.0,
        y + 13
    );
    let mut left = left;
    for (name, child) in &node.children {
        draw(svg, name, child, left, row + 1, scale);
        left += child.total() as f64 * scale;
    }
}
