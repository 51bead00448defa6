use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::{Document, Key, Node, Positions, Value, codes, scalar};
use crate::report::{Finding, Path, Report};

/// The longest text, in bytes. An inventory of 100,000 nodes, which has to be told that it has
/// too many nodes, takes about 10 MiB.
pub const MAX_BYTES: usize = 64 << 20;

/// How deep lists and maps may nest. The deepest place of the schema is inside a patch, whose
/// depth is a Kubernetes object's: about 20.
pub const MAX_DEPTH: usize = 64;

/// How many values a document may hold with its aliases expanded; a text longer than
/// [`VALUE_BYTES`] counts as several. Enough for 100,000 nodes of 40 values each.
pub const MAX_NODES: usize = 1 << 22;

/// So many bytes of a text count as one value against [`MAX_NODES`].
const VALUE_BYTES: usize = 32;

/// Reads one document. Findings are about the text alone; `None` when no document can be
/// made of it. `name` is the file's name for messages.
pub fn read(name: &str, bytes: &[u8], report: &mut Report) -> Option<Document> {
    let text = match decode(bytes) {
        Ok(text) => text,
        Err(finding) => {
            report.push(finding);
            return None;
        }
    };
    let positions = Positions::new(text);
    match Builder::new(text, &positions).run() {
        Ok((root, duplicates)) => {
            report.append(duplicates);
            Some(Document { name: name.to_owned(), text: text.to_owned(), positions, root })
        }
        Err(finding) => {
            report.push(*finding);
            None
        }
    }
}

fn decode(bytes: &[u8]) -> Result<&str, Finding> {
    if bytes.len() > MAX_BYTES {
        let message =
            format!("the text has {} bytes, more than the {MAX_BYTES} that are read", bytes.len());
        return Err(Finding::new(&codes::BUDGET, Path::root(), message));
    }
    let encoding = |message: String, span: Range<usize>| {
        Finding::new(&codes::ENCODING, Path::root(), message)
            .span(span)
            .help("save the file as UTF-8 text")
    };
    // Windows' "Unicode" is UTF-16, which would otherwise be blamed for its NUL bytes.
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(encoding("the text is UTF-16, not UTF-8".to_owned(), 0..1));
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        encoding(format!("byte 0x{:02x} at offset {at} is not UTF-8", bytes[at]), at..at + 1)
    })?;
    let forbidden = text
        .char_indices()
        .find(|(_, character)| character.is_control() && !matches!(character, '\t' | '\n' | '\r'));
    if let Some((at, character)) = forbidden {
        let message = format!("a control character, U+{:04X}, is no text", u32::from(character));
        return Err(encoding(message, at..at + character.len_utf8())
            .help("delete it; inside double quotes it can be written as an escape such as \\x1b"));
    }
    Ok(text)
}

/// Boxed: it is large and rare.
type Fault = Box<Finding>;

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
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            let span = self.bytes(span);
            match event {
                Event::DocumentStart(_) if documents == 1 => {
                    return Err(Finding::new(
                        &codes::BUDGET,
                        Path::root(),
                        "a second document starts here",
                    )
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

    fn syntax(&self, error: &ScanError) -> Fault {
        let at = self.positions.byte(self.text, error.marker().index());
        // The reader's own limit for brackets; met before ours, as it reads ahead.
        if error.info() == "recursion limit exceeded" {
            return too_deep(at..at);
        }
        if let Some(tab) = self.indenting_tab(at, error.info().contains("found a tab")) {
            return Finding::new(&codes::SYNTAX, Path::root(), "a tab indents this line")
                .span(tab..tab + 1)
                .label("a tab")
                .help("indent with spaces: YAML forbids tabs there")
                .into();
        }
        let (message, help) = in_words(error.info());
        let span = match error.info() {
            // Noticed only once the line is over.
            "simple key expect ':'" => self.last_line(at),
            _ => at..at,
        };
        let finding = Finding::new(&codes::SYNTAX, Path::root(), message).span(span);
        match help {
            Some(help) => finding.help(help).into(),
            None => finding.into(),
        }
    }

    /// The last line before `at` that is not blank.
    fn last_line(&self, at: usize) -> Range<usize> {
        let before = self.text[..at].trim_end();
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        before.len() - before[line..].trim_start().len()..before.len()
    }

    /// A tab in the indentation of the line where the reader stopped, of the one before, or,
    /// where the reader says that it met a tab, further on in the value where it stopped.
    fn indenting_tab(&self, at: usize, met: bool) -> Option<usize> {
        let (line, _) = self.positions.line_column(self.text, at);
        let indented = [line, line - 1].into_iter().filter(|line| *line > 0).find_map(|line| {
            let line = self.positions.line(self.text, line);
            let written = &self.text[line.clone()];
            let indentation = written.len() - written.trim_start_matches([' ', '\t', '-']).len();
            written[..indentation].find('\t').map(|tab| line.start + tab)
        });
        indented.or_else(|| self.text[at..].find('\t').filter(|_| met).map(|tab| at + tab))
    }
}

fn node(span: &Range<usize>, value: Value) -> Node {
    // `MAX_BYTES` is far below 4 GiB.
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Node { start: offset(span.start), end: offset(span.end), value }
}

fn too_deep(span: Range<usize>) -> Fault {
    let message = format!("lists and maps nest deeper than {MAX_DEPTH} levels");
    Finding::new(&codes::BUDGET, Path::root(), message).span(span).into()
}

/// Tags would let the text choose types; only those that say what is so anyway are known.
fn known_tag(tag: Option<&str>, name: &str, span: &Range<usize>) -> Result<(), Fault> {
    match tag.map(|tag| (tag, tag.strip_prefix("tag:yaml.org,2002:!"))) {
        None => Ok(()),
        Some((_, Some(known))) if known == name => Ok(()),
        Some((tag, _)) => {
            let written = tag.replace("tag:yaml.org,2002:!", "!!");
            Err(Finding::new(
                &codes::SYNTAX,
                Path::root(),
                format!("the tag `{written}` means nothing here"),
            )
            .span(span.clone())
            .help("delete the tag; quote the value where text is meant")
            .into())
        }
    }
}

/// The reader's terse messages for the mistakes that people make, with the edit.
fn in_words(info: &str) -> (&str, Option<&'static str>) {
    match info {
        "mapping values are not allowed in this context" => (
            "this `:` stands where no key can be",
            Some("put each key on a line of its own, or quote a value that contains `: `"),
        ),
        "simple key expect ':'" | "simple key expected" => (
            "this line has no `:` after its key",
            Some("write `key: value`, with a space after the colon"),
        ),
        "invalid indentation" | "while parsing a block mapping, did not find expected key" => (
            "this line's indentation fits nothing above it",
            Some("give the keys of one map the same indentation"),
        ),
        "while parsing a block collection, did not find expected '-' indicator" => (
            "this line belongs to a list but does not start with `-`",
            Some("give the items of one list the same indentation, each with its `- `"),
        ),
        "block sequence entries are not allowed in this context" => (
            "a list cannot start on the line of its key",
            Some("put each `- item` on a line of its own, or write `[item, item]`"),
        ),
        "while parsing node, found unknown anchor" => (
            "this alias repeats an anchor that is not defined above it",
            Some("quote the value if it only starts with `*`"),
        ),
        "while parsing a flow sequence, expected ',' or ']'"
        | "while parsing a flow mapping, did not find expected ',' or '}'"
        | "illegal placement of ':' indicator" => {
            ("a `,` or the closing bracket is missing before this", None)
        }
        "misplaced bracket" => ("this bracket closes nothing", None),
        "while scanning a quoted scalar, found unexpected end of stream"
        | "invalid indentation in quoted scalar" => {
            ("these quotes are not closed", Some("close them on the same line"))
        }
        "invalid trailing content after double-quoted scalar" => (
            "more text follows the closing quote",
            Some("write a quote inside single quotes twice: `'it''s'`"),
        ),
        "while parsing a quoted scalar, found unknown escape character" => (
            "double quotes do not know this escape",
            Some("write `\\\\` for a backslash, or use single quotes"),
        ),
        other if other.starts_with("unexpected character") => {
            (other, Some("quote a value that starts with this character"))
        }
        other => (other, None),
    }
}
