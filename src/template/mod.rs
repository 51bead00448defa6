//! The free-text formats: the only user of minijinja. A template (`….j2`) holds text, not
//! decisions; what it prints is a context struct that a room's plan has filled. A text of another
//! name goes out as it is, such as a script that only reads what is said beside it.

mod filters;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::report::{Finding, Path, closest};

crate::codes! { "template":
    FAILED = Error "failed",
}

/// A text of `templates/`. Rooms declare theirs with [`crate::template!`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// The path below `templates/`, such as `haproxy/haproxy.cfg.j2`.
    pub id: &'static str,
    /// The text that comes with hagen.
    pub text: &'static str,
}

/// The [`Template`] at this path below `templates/`.
///
/// ```ignore
/// static CONFIG: Template = template!("haproxy/haproxy.cfg.j2");
/// ```
#[macro_export]
macro_rules! template {
    ($id:literal) => {
        $crate::template::Template {
            id: $id,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $id)),
        }
    };
}

/// All templates, parsed, the user's in place of ours where there is one.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    /// Texts without anything to fill in, by id.
    verbatim: BTreeMap<&'static str, Cow<'static, str>>,
}

/// Why there is no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The template's id.
    pub id: String,
    /// Where in the template, from 1.
    pub line: Option<usize>,
    /// What is wrong, without any value of the context: that may be a secret.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Templates {
    /// Parses `all`, each replaced by the text of the same id in `overrides`.
    ///
    /// # Errors
    /// A syntax error, or an override of an id that no room declares.
    pub fn new<'a>(
        all: impl IntoIterator<Item = &'a Template>,
        mut overrides: BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let mut environment = environment();
        let mut verbatim = BTreeMap::new();
        let mut known = Vec::new();
        for Template { id, text } in all {
            known.push(*id);
            if !id.ends_with(".j2") {
                let text = overrides.remove(*id).map_or(Cow::Borrowed(*text), Cow::Owned);
                verbatim.insert(*id, text);
                continue;
            }
            let added = match overrides.remove(*id) {
                Some(text) => environment.add_template_owned(*id, text),
                None => environment.add_template(id, text),
            };
            added.map_err(|error| TemplateError::new(id, &error))?;
        }
        match overrides.into_keys().next() {
            Some(unknown) => Err(TemplateError::unknown(unknown, known)),
            None => Ok(Self { environment, verbatim }),
        }
    }

    /// The text `id`, which has nothing to fill in; empty where no room declares it.
    pub fn verbatim(&self, id: &str) -> &str {
        self.verbatim.get(id).map_or("", |text| text)
    }

    /// Fills in the template `id`. Equal contexts give equal bytes.
    ///
    /// # Errors
    /// An undefined value, a call of `fail()`, or a value that a quoting filter refuses.
    pub fn render(&self, id: &str, context: &impl Serialize) -> Result<String, TemplateError> {
        self.environment
            .get_template(id)
            .and_then(|template| template.render(minijinja::value::Serde(context)))
            .map_err(|error| TemplateError::new(id, &error))
    }
}

/// What every template may rely on.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .keep_trailing_newline(true)
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .unwrap_or_default(),
    );
    // None of our formats is HTML; each has its own quoting filter instead.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(filters::print);
    environment.add_function("fail", filters::fail);
    environment.add_filter("sh", filters::sh);
    environment.add_filter("conf", filters::conf);
    environment.add_filter("systemd", filters::systemd);
    environment
}

impl TemplateError {
    fn new(id: &str, error: &minijinja::Error) -> Self {
        let message = match error.detail() {
            Some(detail) => detail.to_owned(),
            None => error.kind().to_string(),
        };
        Self { id: id.to_owned(), line: error.line(), message, help: None }
    }

    fn unknown(id: String, mut known: Vec<&'static str>) -> Self {
        known.sort_unstable();
        let list = known.join(", ");
        let help = match closest(&id, known) {
            Some(candidate) => format!("did you mean `{candidate}`? templates: {list}"),
            None => format!("templates: {list}"),
        };
        let message = "no template has this id".to_owned();
        Self { id, line: None, message, help: Some(help) }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template `{}`", self.id)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for TemplateError {}

impl From<TemplateError> for Finding {
    fn from(error: TemplateError) -> Self {
        let mut finding = Self::new(&FAILED, Path::root(), error.to_string());
        finding.help = error.help;
        finding
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Template, TemplateError, Templates};

    static GREETING: Template = Template { id: "a/greeting.j2", text: "hello {{ name }}\n" };
    static LIST: Template =
        Template { id: "a/list.j2", text: "{% for x in xs %}\n  - {{ x }}\n{% endfor %}\nend\n" };

    fn render_as(text: &str, value: &str) -> Result<String, TemplateError> {
        let overrides = BTreeMap::from([(GREETING.id.to_owned(), text.to_owned())]);
        let context = BTreeMap::from([("name", value)]);
        Templates::new([&GREETING], overrides)?.render(GREETING.id, &context)
    }

    #[test]
    fn block_lines_leave_no_trace_and_the_last_newline_stays() {
        let templates = Templates::new([&LIST], BTreeMap::new()).unwrap();
        let context = BTreeMap::from([("xs", [1, 2])]);
        assert_eq!(templates.render(LIST.id, &context).unwrap(), "  - 1\n  - 2\nend\n");
    }

    #[test]
    fn an_override_replaces_the_text() {
        assert_eq!(render_as("bye {{ name }}", "x").unwrap(), "bye x");
    }

    #[test]
    fn a_text_without_anything_to_fill_in_goes_out_as_it_is() {
        static SCRIPT: Template = Template { id: "a/step.sh", text: "echo ${#list[@]} {{ x }}\n" };
        let templates = Templates::new([&SCRIPT], BTreeMap::new()).unwrap();
        assert_eq!(templates.verbatim("a/step.sh"), SCRIPT.text);
        let mine = BTreeMap::from([(SCRIPT.id.to_owned(), "echo mine {#\n".to_owned())]);
        let templates = Templates::new([&SCRIPT], mine).unwrap();
        assert_eq!(templates.verbatim("a/step.sh"), "echo mine {#\n");
    }

    #[test]
    fn an_undefined_value_is_an_error_at_its_line() {
        let error = render_as("one\n{{ nane }}\n", "x").unwrap_err();
        assert_eq!(error.to_string(), "template `a/greeting.j2`, line 2: `nane` is undefined");
    }

    #[test]
    fn a_template_may_refuse() {
        let error = render_as("{{ fail('no ' ~ name) }}", "members").unwrap_err();
        assert_eq!(error.to_string(), "template `a/greeting.j2`, line 1: no members");
    }

    #[test]
    fn an_override_that_does_not_parse_is_an_error_at_its_line() {
        let error = render_as("\n\n{% if %}", "x").unwrap_err();
        assert_eq!(error.line, Some(3));
    }

    #[test]
    fn an_unknown_override_names_the_nearest_and_all_ids() {
        let overrides = BTreeMap::from([("a/greting.j2".to_owned(), String::new())]);
        let error = Templates::new([&GREETING, &LIST], overrides).unwrap_err();
        assert_eq!(
            error.help.unwrap(),
            "did you mean `a/greeting.j2`? templates: a/greeting.j2, a/list.j2"
        );
    }

    #[test]
    fn only_what_has_one_spelling_is_printed() {
        assert_eq!(render_as("{{ true }} {{ 1 }}{{ 'x' if false }}", "").unwrap(), "true 1");
        assert!(render_as("{{ none }}", "").is_err());
        assert!(render_as("{{ [1] }}", "").is_err());
    }

    #[test]
    fn nothing_is_escaped_as_html() {
        assert_eq!(render_as("{{ name }}", "<&>\"'").unwrap(), "<&>\"'");
    }
}
