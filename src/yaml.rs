//! Text → [`Document`]: values that remember where they were written.
//!
//! The only user of the YAML reader. YAML 1.2 with its core schema, one document, anchors and
//! aliases within a budget, no merge keys, no tags but `!!str`, `!!seq` and `!!map`. JSON is
//! YAML, so a JSON inventory is read too.

pub mod codes;
mod decode;
mod fault;
mod hidden;
mod positions;
mod read;
mod scalar;

use std::ops::Range;

use crate::report::{Path, Step};

pub use decode::MAX_BYTES;
pub use hidden::{hides, named};
pub use positions::Positions;
pub use read::read;

use read::MAX_DEPTH;

/// A text that was read, and what it says.
#[derive(Clone, Debug)]
pub struct Document {
    name: String,
    text: String,
    positions: Positions,
    root: Node,
}

/// A value and the text that spells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    // The text is at most `MAX_BYTES` long; 32 bits keep a large inventory small in memory.
    start: u32,
    end: u32,
    /// What it says.
    pub value: Value,
}

/// What a [`Node`] says, after the core schema of YAML 1.2.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole or a decimal number. Whole ones beyond 64 bits are rounded, as in JSON.
    Number(serde_json::Number),
    /// Everything quoted, and every plain word that is nothing else. `.inf` and `.nan`, which
    /// JSON cannot say, are words here.
    String(String),
    /// `[a, b]` or lines with `-`.
    List(Vec<Node>),
    /// `{a: b}` or lines with `:`, in the order of the text; keys are unique.
    Map(Vec<(Key, Node)>),
}

/// The key of a map's entry. A key is text, whatever it looks like: `1: x` has the key `1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    start: u32,
    end: u32,
    /// Without quotes.
    pub name: String,
}

impl Key {
    /// Byte offsets of the key, with its quotes.
    pub fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl Node {
    /// Byte offsets of the value. An alias is where it stands; what is inside it is where its
    /// anchor stands.
    pub fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The entry of a map.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, node)| node)
    }

    fn entry(&self, key: &str) -> Option<&(Key, Node)> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(name, _)| name.name == key),
            _ => None,
        }
    }

    /// The value as JSON, aliases expanded.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(bool) => serde_json::Value::Bool(*bool),
            Value::Number(number) => serde_json::Value::Number(number.clone()),
            Value::String(text) => serde_json::Value::String(text.clone()),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|(key, node)| (key.name.clone(), node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

impl Document {
    /// The file's name, as the user gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text, without a byte order mark.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The outermost value; an empty text is an empty map.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Lines and columns of byte offsets.
    pub fn positions(&self) -> &Positions {
        &self.positions
    }

    /// Line and column of a byte offset, both from one, columns in characters.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        self.positions.line_column(&self.text, offset)
    }

    /// The value at a path, if it is there.
    pub fn get(&self, path: &Path) -> Option<&Node> {
        path.steps().iter().try_fold(&self.root, |node, step| match (step, &node.value) {
            (Step::Key(key), _) => node.get(key),
            (Step::Index(index), Value::List(items)) => items.get(*index),
            (Step::Index(_), _) => None,
        })
    }

    /// What to underline for a path, in bytes, and whether the path itself is there: an absent
    /// place is blamed at its nearest ancestor. A value that fills several lines is shown by
    /// the key that introduces it, or by its first line.
    pub fn span(&self, path: &Path) -> (Range<usize>, bool) {
        let mut node = &self.root;
        let mut key = None;
        let mut exact = true;
        for step in path.steps() {
            let next = match (step, &node.value) {
                (Step::Key(name), _) => node.entry(name).map(|(key, node)| (Some(key), node)),
                (Step::Index(index), Value::List(items)) => {
                    items.get(*index).map(|node| (None, node))
                }
                (Step::Index(_), _) => None,
            };
            let Some(next) = next else {
                exact = false;
                break;
            };
            (key, node) = next;
        }
        let span = node.span();
        let written = &self.text[span.clone()];
        let shown = match (key, written.find('\n')) {
            (Some(key), Some(_)) => key.span(),
            (Some(key), None) if written.is_empty() => key.span(),
            (None, Some(line)) => span.start..span.start + written[..line].trim_end().len(),
            (_, None) => span,
        };
        (shown, exact)
    }

    /// How a plain scalar was spelt, such as `1.30` where the value is the number 1.3. `None`
    /// for everything else, and for an alias.
    pub fn plain(&self, node: &Node) -> Option<&str> {
        let written = &self.text[node.span()];
        match &node.value {
            Value::List(_) | Value::Map(_) => None,
            _ if written.starts_with(['*', '"', '\'', '|', '>']) => None,
            _ => Some(written),
        }
    }

    /// The document as JSON, aliases expanded.
    pub fn to_json(&self) -> serde_json::Value {
        self.root.to_json()
    }
}

#[cfg(test)]
mod tests;
