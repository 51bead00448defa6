//! Reads `src/` as tokens: what a file names, without its comments, texts and tests.

use std::collections::BTreeSet;
use std::path::Path;

use crate::compiled::root;

/// One file of `src/`.
pub struct Source {
    /// Relative to the repository: `src/rooms/etcd/plan.rs`.
    pub file: String,
    /// Its place among the modules: `["rooms", "etcd", "plan"]`.
    pub module: Vec<String>,
    /// Lines of the whole file, without a trailing `mod tests`.
    pub lines: usize,
    /// Its tokens, one blank between each; texts and numbers are `_`.
    pub tokens: Vec<String>,
}

impl Source {
    /// Every file of the program, without those that only tests see.
    pub fn all() -> Vec<Self> {
        let mut tests = BTreeSet::new();
        let mut sources = Vec::new();
        let files = walkdir::WalkDir::new(root().join("src")).sort_by_file_name();
        for entry in files.into_iter().map(Result::unwrap) {
            if entry.path().extension().is_some_and(|ending| ending == "rs") {
                sources.push(Self::read(entry.path(), &mut tests));
            }
        }
        sources.retain(|source| {
            !(1..=source.module.len()).any(|length| tests.contains(&source.module[..length]))
        });
        sources
    }

    fn read(path: &Path, tests: &mut BTreeSet<Vec<String>>) -> Self {
        let file = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let inside = file.strip_prefix("src/").unwrap().trim_end_matches(".rs");
        let mut module: Vec<String> = inside.split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
            module.pop();
        }
        let text = std::fs::read_to_string(path).unwrap();
        let mut tokens = tokens(&text);
        for name in cut_tests(&mut tokens) {
            tests.insert(module.iter().cloned().chain([name]).collect());
        }
        let program = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        Self { lines: program.lines().count(), file, module, tokens }
    }

    /// Whether these tokens, written with one blank between each, stand in the file.
    pub fn says(&self, tokens: &str) -> bool {
        let wanted: Vec<&str> = tokens.split(' ').collect();
        self.tokens.windows(wanted.len()).any(|window| window == wanted)
    }

    /// Every path that the file names, from the root of its crate: `crate::site::Cluster`,
    /// `rcgen::Issuer`.
    pub fn paths(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let leads = self.tokens.get(at + 1).is_some_and(|token| token == "::");
            if is_word(&self.tokens[at]) && leads {
                let mut paths = Vec::new();
                at = path(&self.tokens, at, &[], &mut paths);
                found.extend(paths.into_iter().map(|path| self.absolute(path).join("::")));
            }
            at += 1;
        }
        found
    }

    fn absolute(&self, path: Vec<String>) -> Vec<String> {
        let up = path.iter().take_while(|segment| *segment == "super").count();
        let own = path.first().is_some_and(|first| first == "self");
        if up == 0 && !own {
            return path;
        }
        let above = &self.module[..self.module.len().saturating_sub(up)];
        let below = path.into_iter().skip(up + usize::from(own));
        ["crate".to_owned()].into_iter().chain(above.iter().cloned()).chain(below).collect()
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_') && token != "_"
}

/// Splits a program into words, marks and `_` for each text, character or number.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").unwrap() + 2,
            '"' => quoted(rest, '"'),
            '\'' if is_character(rest) => quoted(rest, '\''),
            'r' | 'b' if raw(rest).is_some() => raw(rest).unwrap_or_default(),
            'b' if rest.starts_with("b\"") => 1 + quoted(&rest[1..], '"'),
            'b' if rest.starts_with("b'") => 1 + quoted(&rest[1..], '\''),
            _ if first.is_alphanumeric() || first == '_' => word(rest),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        let token = &rest[..length];
        let is_value = token.ends_with(['"', '\'', '#']) && length > 1 || first.is_ascii_digit();
        if is_value {
            tokens.push("_".to_owned());
        } else if !first.is_whitespace() && !token.starts_with("//") && !token.starts_with("/*") {
            tokens.push(token.to_owned());
        }
        rest = &rest[length..];
    }
    tokens
}

fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// The length of a text in these quotes, with its escapes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.unwrap().0 + 1
}

/// Whether `'` opens a character and not a lifetime.
fn is_character(text: &str) -> bool {
    let mut next = text.chars().skip(1);
    next.next() == Some('\\') || next.next() == Some('\'')
}

/// The length of a raw text: `r"…"`, `r#"…"#`, `br"…"`.
fn raw(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('b').unwrap_or(text).strip_prefix('r')?;
    let marks = inner.len() - inner.trim_start_matches('#').len();
    let body = inner[marks..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(marks));
    Some(text.len() - body.len() + body.find(&close)? + close.len())
}

/// Removes `#[cfg(test)] mod … { … }`, and names the modules of `#[cfg(test)] mod …;`.
fn cut_tests(tokens: &mut Vec<String>) -> Vec<String> {
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut named = Vec::new();
    while let Some(start) = tokens.windows(mark.len()).position(|window| window == mark) {
        let item = tokens[start..].iter().position(|token| token == "{" || token == ";");
        let item = start + item.unwrap_or(tokens.len() - start - 1);
        if tokens[item] == ";" && tokens[item - 2] == "mod" {
            named.push(tokens[item - 1].clone());
        }
        let mut depth = usize::from(tokens[item] == "{");
        let mut end = item + 1;
        while depth > 0 {
            depth += usize::from(tokens[end] == "{");
            depth -= usize::from(tokens[end] == "}");
            end += 1;
        }
        tokens.drain(start..end);
    }
    named
}

/// Follows a path from its first segment, into the branches of a `use`. Returns where it ends.
fn path(tokens: &[String], at: usize, before: &[String], out: &mut Vec<Vec<String>>) -> usize {
    let mut segments = before.to_vec();
    segments.push(tokens[at].clone());
    let next = |offset: usize| tokens.get(at + offset).map(String::as_str);
    match (next(1), next(2)) {
        (Some("::"), Some("{")) => {
            let mut inner = at + 3;
            while tokens[inner] != "}" {
                if is_word(&tokens[inner]) && tokens[inner] != "as" && tokens[inner - 1] != "as" {
                    inner = path(tokens, inner, &segments, out);
                }
                inner += 1;
            }
            inner
        }
        (Some("::"), Some(word)) if is_word(word) => path(tokens, at + 2, &segments, out),
        _ => {
            out.push(segments);
            at
        }
    }
}

#[test]
fn paths_are_found_in_branches_and_expressions() {
    let text = "use crate::{a::{b, c as d}, e}; use super::f; fn g<'a>() { h!(self::i::J, 'x') } \
                #[cfg(test)] mod tests { use crate::hidden; } #[cfg(test)] mod outside;";
    let mut tokens = tokens(text);
    assert_eq!(cut_tests(&mut tokens), ["outside"]);
    let module = vec!["x".to_owned(), "y".to_owned()];
    let source = Source { file: String::new(), module, lines: 0, tokens };
    let found: Vec<String> = source.paths().into_iter().collect();
    let wanted = ["crate::a::b", "crate::a::c", "crate::e", "crate::x::f", "crate::x::y::i::J"];
    assert_eq!(found, wanted);
    assert!(source.says("J , _ ) }"));
}
