use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use super::decode::decode;
use super::fault::{Fault, known_tag, syntax, too_deep};
use super::{Document, Key, Node, Positions, Value, codes, scalar};
use crate::report::{Finding, Path, Report};

/// How deep lists and maps may nest. The deepest place of the schema is inside a patch, whose
/// depth is a Kubernetes object's: about 20.
pub(super) const MAX_DEPTH: usize = 64;

/// How many values a document may hold with its aliases expanded; a text longer than
/// 32 bytes counts as several. Enough for 100,000 nodes of 40 values each.
const MAX_NODES: usize = 1 << 22;

/// So many bytes of a text count as one value against [`MAX_NODES`].
const VALUE_BYTES: usize = 32;

/// Reads one document. Findings are about the text alone; `None` when no document can be
/// made of it. `name` is the file's name for messages.
pub fn read(name: &str, bytes: &[u8], report: &mut Report) -> Option<Document> {
    match parse(name, bytes, report) {
        Ok(document) => Some(document),
        Err(fault) => {
            report.push(*fault);
            None
        }
    }
}

fn parse(name: &str, bytes: &[u8], report: &mut Report) -> Result<Document, Fault> {
    let text = decode(bytes)?;
    let positions = Positions::new(text);
    let (root, duplicates) = Builder::new(text, &positions).run()?;
    report.append(duplicates);
    Ok(Document { name: name.to_owned(), text: text.to_owned(), positions, root })
}

/// A list or map whose end has not been met.
struct Open {
    start: usize,
    anchor: usize,
    items: Items,
    cost: Cost,
}

enum Items {
    List(Vec<Node>),
    Map { entries: Vec<(Key, Node)>, key: Option<Key> },
}

/// What an alias to a value would add to the document.
#[derive(Clone, Copy, Default)]
struct Cost {
    nodes: usize,
    height: usize,
}

/// What a finished value is, before it is put where it belongs.
struct Built {
    node: Node,
    cost: Cost,
    /// Only a scalar that is written here can be a key.
    key: Option<String>,
}

struct Builder<'a> {
    text: &'a str,
    positions: &'a Positions,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Node, Cost)>,
    nodes: usize,
    root: Option<Node>,
    duplicates: Report,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, positions: &'a Positions) -> Self {
        Self {
            text,
            positions,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            nodes: 0,
            root: None,
            duplicates: Report::new(),
        }
    }

    fn run(mut self) -> Result<(Node, Report), Fault> {
        let mut parser = Parser::new(StrInput::new(self.text));
        let mut documents = 0;
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| syntax(self.text, self.positions, &error))?;
            let span = self.bytes(span);
            match event {
                Event::DocumentStart(_) if documents == 1 => {
                    let message = "a second document starts here";
                    return Err(Finding::new(&codes::BUDGET, Path::root(), message)
                        .span(span)
                        .help("keep one document per file; several files can be given in one call")
                        .into());
                }
                Event::DocumentStart(_) => documents += 1,
                Event::Alias(anchor) => self.alias(anchor, span)?,
                Event::Scalar(text, style, anchor, tag) => {
                    let tag = tag.map(|tag| tag.to_string());
                    self.scalar(&text, style, anchor, tag.as_deref(), span)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    known_tag(tag.map(|tag| tag.to_string()).as_deref(), "seq", &span)?;
                    self.open(Items::List(Vec::new()), anchor, span)?;
                }
                Event::MappingStart(anchor, tag) => {
                    known_tag(tag.map(|tag| tag.to_string()).as_deref(), "map", &span)?;
                    self.open(Items::Map { entries: Vec::new(), key: None }, anchor, span)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            }
        }
        let empty = Node { start: 0, end: 0, value: Value::Map(Vec::new()) };
        let root = match self.root {
            None => empty,
            // `---` and nothing after it.
            Some(Node { start, end, value: Value::Null }) if start == end => empty,
            Some(root) => root,
        };
        Ok((root, self.duplicates))
    }

    /// The reader counts characters, everyone else bytes.
    fn bytes(&self, span: Span) -> Range<usize> {
        let start = self.positions.byte(self.text, span.start.index());
        let end = self.positions.byte(self.text, span.end.index());
        start..end.max(start)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&str>,
        span: Range<usize>,
    ) -> Result<(), Fault> {
        let plain = style == ScalarStyle::Plain && tag.is_none();
        // The reader spells the non-specific tag `!` in this way; it makes text of a scalar.
        if tag != Some("!!") {
            known_tag(tag, "str", &span)?;
        }
        let span = if plain && text.is_empty() && anchor == 0 {
            // The reader puts nothing at the token beside it.
            let at = span.start + usize::from(self.text[span.start..].starts_with(':'));
            at..at
        } else {
            self.properties_skipped(span)
        };
        let value = if plain { scalar::resolve(text) } else { Value::String(text.to_owned()) };
        let cost = Cost { nodes: 1 + text.len() / VALUE_BYTES, height: 0 };
        self.spend(cost.nodes, &span)?;
        if plain && text == "<<" && self.key_is_next() {
            let message = "merge keys (`<<`) are not part of YAML 1.2";
            return Err(Finding::new(&codes::SYNTAX, Path::root(), message)
                .span(span)
                .help("write the entries out, or use an alias for a whole value: `labels: *common`")
                .into());
        }
        let key =
            Some(text.to_owned()).filter(|_| self.key_is_next() && !(plain && text.is_empty()));
        self.place(Built { node: node(&span, value), cost, key }, anchor)
    }

    /// Anchors and tags stand before a scalar; its own text starts after them.
    fn properties_skipped(&self, span: Range<usize>) -> Range<usize> {
        let mut rest = &self.text[span.clone()];
        while rest.starts_with(['&', '!']) {
            let Some(space) = rest.find(char::is_whitespace) else { return span };
            rest = rest[space..].trim_start();
        }
        if rest.is_empty() { span } else { span.end - rest.len()..span.end }
    }

    fn alias(&mut self, anchor: usize, span: Range<usize>) -> Result<(), Fault> {
        let Some((anchored, cost)) = self.anchors.get(&anchor) else {
            let message = "an alias stands inside the value that it repeats";
            return Err(Finding::new(&codes::SYNTAX, Path::root(), message).span(span).into());
        };
        let cost = *cost;
        if self.open.len() + cost.height > MAX_DEPTH {
            return Err(too_deep(span));
        }
        // Before the copy: a handful of aliases to aliases can ask for more memory than there is.
        let value = match self.nodes + cost.nodes > MAX_NODES {
            true => Value::Null,
            false => anchored.value.clone(),
        };
        self.spend(cost.nodes, &span)?;
        self.place(Built { node: node(&span, value), cost, key: None }, 0)
    }

    fn open(&mut self, items: Items, anchor: usize, span: Range<usize>) -> Result<(), Fault> {
        if self.open.len() == MAX_DEPTH {
            return Err(too_deep(span));
        }
        self.spend(1, &span)?;
        let start = self.properties_skipped(span.clone()).start;
        self.open.push(Open { start, anchor, items, cost: Cost { nodes: 1, height: 1 } });
        Ok(())
    }

    fn close(&mut self, end: Range<usize>) -> Result<(), Fault> {
        let Some(Open { start, anchor, items, cost }) = self.open.pop() else { return Ok(()) };
        let last = match &items {
            Items::List(items) => items.last().map(|item| item.end as usize),
            Items::Map { entries, .. } => {
                entries.last().map(|(key, node)| key.end.max(node.end) as usize)
            }
        };
        // Brackets have an end of their own; a block ends with its last value, and the reader
        // reports its end where the next thing starts.
        let end = match self.text[start..].starts_with(['[', '{']) && !end.is_empty() {
            true => end.end,
            false => last.unwrap_or(start),
        };
        let value = match items {
            Items::List(items) => Value::List(items),
            Items::Map { entries, .. } => Value::Map(self.unique(entries)),
        };
        let node = node(&(start..end.max(start)), value);
        self.place(Built { node, cost, key: None }, anchor)
    }

    /// Keeps the first entry of each key and reports the others.
    fn unique(&mut self, entries: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by(|a, b| entries[*a].0.name.cmp(&entries[*b].0.name));
        let again: BTreeSet<usize> = order
            .windows(2)
            .filter(|pair| entries[pair[0]].0.name == entries[pair[1]].0.name)
            .map(|pair| pair[1])
            .collect();
        if again.is_empty() {
            return entries;
        }
        let at = self.path();
        let (kept, repeated): (Vec<_>, Vec<_>) =
            entries.into_iter().enumerate().partition(|(index, _)| !again.contains(index));
        for (_, (key, _)) in repeated {
            let path = at.key(key.name.as_str());
            let message = format!("the key `{}` is given twice", key.name);
            self.duplicates.push(
                Finding::new(&codes::DUPLICATE_KEY, path.clone(), message)
                    .span(key.span())
                    .label("given again here")
                    .because(path, "first given here")
                    .help("keep one of them"),
            );
        }
        kept.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Where the value that is being built will be.
    fn path(&self) -> Path {
        self.open.iter().fold(Path::root(), |path, open| match &open.items {
            Items::List(items) => path.index(items.len()),
            Items::Map { key, .. } => path.key(key.as_ref().map_or("", |key| &key.name)),
        })
    }

    fn key_is_next(&self) -> bool {
        matches!(self.open.last(), Some(Open { items: Items::Map { key: None, .. }, .. }))
    }

    fn place(&mut self, built: Built, anchor: usize) -> Result<(), Fault> {
        let Built { node, cost, key } = built;
        if anchor != 0 {
            self.spend(cost.nodes, &node.span())?;
            self.anchors.insert(anchor, (node.clone(), cost));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.cost.nodes += cost.nodes;
        open.cost.height = open.cost.height.max(cost.height + 1);
        match &mut open.items {
            Items::List(items) => items.push(node),
            Items::Map { entries, key: pending } => match (pending.take(), key) {
                (Some(key), _) => entries.push((key, node)),
                (None, Some(name)) => {
                    *pending = Some(Key { start: node.start, end: node.end, name })
                }
                (None, None) => {
                    return Err(Finding::new(&codes::SYNTAX, Path::root(), "a key must be a word")
                        .span(node.span())
                        .label("a list, a map, an alias or nothing stands where a key belongs")
                        .into());
                }
            },
        }
        Ok(())
    }

    fn spend(&mut self, nodes: usize, span: &Range<usize>) -> Result<(), Fault> {
        self.nodes += nodes;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message = format!("the document has more than {MAX_NODES} values, aliases expanded");
        Err(Finding::new(&codes::BUDGET, Path::root(), message).span(span.clone()).into())
    }
}

fn node(span: &Range<usize>, value: Value) -> Node {
    // `MAX_BYTES` is far below 4 GiB.
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Node { start: offset(span.start), end: offset(span.end), value }
}
