//! hagen compiles one inventory file into the complete file tree of a highly available
//! Kubernetes cluster. It is a pure function of (inventory, secrets bundle, template
//! overrides): no network, no clock, no randomness.
//!
//! The stages, each a module, in the order in which a build passes through them:
//!
//! 1. [`yaml`] reads text into a [`yaml::Document`]: values with spans.
//! 2. [`inventory`] is what was said: strict types, no logic.
//! 3. [`site`] is what is meant: every default filled in, from the [`catalog`].
//! 4. [`rooms`] plan, one room per component; each states what it occupies and needs. What every
//!    way to start a control plane has alike is in [`control_plane`].
//! 5. [`claims`] puts that together; rooms judge their plans by it, and [`audit`] finds claims that
//!    collide or are unmet.
//! 6. [`pki`] issues every certificate from the [`secrets`] bundle.
//! 7. The rooms render files into a [`tree::Tree`].
//! 8. [`disk`] writes the tree: the only module that creates files.
//!
//! [`compile`] is these stages on one screen; [`report`] is how each of them speaks; [`cli`] is
//! the command line around them.

pub mod audit;
pub mod catalog;
pub mod claims;
pub mod cli;
pub mod compile;
pub mod control_plane;
pub mod disk;
pub mod document;
pub mod inventory;
pub mod manifest;
pub mod pki;
pub mod print;
pub mod report;
pub mod rooms;
pub mod secrets;
pub mod site;
pub mod template;
pub mod tree;
pub mod yaml;
