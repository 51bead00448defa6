//! Strict values: whatever parses here cannot break out of any generated syntax. Each carries a
//! schema `format` of its own, and `formats` hands the parsers to the structural check.

mod armor;
mod certificates;
mod image;
mod network;
mod package;
mod text;
mod version;

pub use armor::ArmoredKey;
pub use certificates::Certificates;
pub use image::{ImageReference, ImageRepository, RegistryHost};
pub use network::{
    Address, Cidr, Cidrs, DnsName, DnsNameOrAddress, Interface, InterfaceAddress, NoProxy, Port,
    Url,
};
pub use package::{
    AptComponent, AptSuite, ArchiveName, Fingerprint, PackageName, PackageVersion, Sha256,
};
pub use text::{
    AbsolutePath, ClusterName, DirectiveName, DirectiveValue, Duration, FileMode, FlagName,
    FlagValue, LabelKey, LabelValue, ModuleName, NodeName, OwnerName, PreflightCheck,
    PrivateFileMode, SecretName, SysctlKey, SysctlValue, Taint, UnitName,
};
pub use version::{EtcdRelease, KubernetesRelease, ProgramVersion, Release};

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::check::{Format, Formats};

/// The schema of a map whose keys have a form of their own. The derived schema knows the form of
/// the values only.
pub(super) fn keyed<K: JsonSchema, V: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let keys = generator.subschema_for::<K>();
    let mut schema = generator.subschema_for::<BTreeMap<K, V>>();
    schema.insert("propertyNames".to_owned(), keys.to_value());
    schema
}

/// Declares a value that is written as a string: `FromStr` decides, `Display` writes. Its doc
/// comment and its examples are those of the published schema.
macro_rules! value {
    ($(#[doc = $doc:literal])+ $name:ident ( $inner:ty ), $format:literal, [$($example:expr),+], $parse:expr) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($inner);

        impl $name {
            /// The schema's name for this form.
            pub const FORMAT: &'static str = $format;

            /// The value itself.
            pub fn get(&self) -> &$inner {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            /// # Errors
            /// What was expected instead, in a few words.
            fn from_str(text: &str) -> Result<Self, String> {
                let parse: fn(&str) -> Result<$inner, String> = $parse;
                parse(text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": concat!($($doc, "\n"),+),
                    "type": "string",
                    "format": $format,
                    "examples": [$($example),+],
                })
            }
        }
    };
    ($(#[doc = $doc:literal])+ $name:ident, $format:literal, [$($example:expr),+], $parse:expr) => {
        $crate::inventory::values::value! {
            $(#[doc = $doc])+ $name(String), $format, [$($example),+], $parse
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(in crate::inventory) use value;

/// The checks behind every `format` of the schema.
pub(super) fn formats() -> Formats {
    fn entry<T: std::str::FromStr<Err = String>>(format: &'static str) -> (&'static str, Format) {
        (format, |text| text.parse::<T>().map(drop))
    }
    Formats::from([
        entry::<AbsolutePath>(AbsolutePath::FORMAT),
        entry::<Address>(Address::FORMAT),
        entry::<AptComponent>(AptComponent::FORMAT),
        entry::<AptSuite>(AptSuite::FORMAT),
        entry::<ArchiveName>(ArchiveName::FORMAT),
        entry::<ArmoredKey>(ArmoredKey::FORMAT),
        entry::<Certificates>(Certificates::FORMAT),
        entry::<Cidr>(Cidr::FORMAT),
        entry::<Cidrs>(Cidrs::FORMAT),
        entry::<ClusterName>(ClusterName::FORMAT),
        entry::<DirectiveName>(DirectiveName::FORMAT),
        entry::<DirectiveValue>(DirectiveValue::FORMAT),
        entry::<DnsName>(DnsName::FORMAT),
        entry::<DnsNameOrAddress>(DnsNameOrAddress::FORMAT),
        entry::<Duration>(Duration::FORMAT),
        entry::<EtcdRelease>(EtcdRelease::FORMAT),
        entry::<FileMode>(FileMode::FORMAT),
        entry::<Fingerprint>(Fingerprint::FORMAT),
        entry::<FlagName>(FlagName::FORMAT),
        entry::<FlagValue>(FlagValue::FORMAT),
        entry::<ImageReference>(ImageReference::FORMAT),
        entry::<ImageRepository>(ImageRepository::FORMAT),
        entry::<Interface>(Interface::FORMAT),
        entry::<InterfaceAddress>(InterfaceAddress::FORMAT),
        entry::<KubernetesRelease>(KubernetesRelease::FORMAT),
        entry::<LabelKey>(LabelKey::FORMAT),
        entry::<LabelValue>(LabelValue::FORMAT),
        entry::<ModuleName>(ModuleName::FORMAT),
        entry::<NoProxy>(NoProxy::FORMAT),
        entry::<NodeName>(NodeName::FORMAT),
        entry::<OwnerName>(OwnerName::FORMAT),
        entry::<PackageName>(PackageName::FORMAT),
        entry::<PackageVersion>(PackageVersion::FORMAT),
        entry::<PreflightCheck>(PreflightCheck::FORMAT),
        entry::<PrivateFileMode>(PrivateFileMode::FORMAT),
        entry::<ProgramVersion>(ProgramVersion::FORMAT),
        entry::<RegistryHost>(RegistryHost::FORMAT),
        entry::<Release>(Release::FORMAT),
        entry::<SecretName>(SecretName::FORMAT),
        entry::<Sha256>(Sha256::FORMAT),
        entry::<SysctlKey>(SysctlKey::FORMAT),
        entry::<SysctlValue>(SysctlValue::FORMAT),
        entry::<Taint>(Taint::FORMAT),
        entry::<UnitName>(UnitName::FORMAT),
        entry::<Url>(Url::FORMAT),
    ])
}
